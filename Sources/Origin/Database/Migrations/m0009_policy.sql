-- Which versions may be used (docs/POLICY.md).

-- Owner: Policy. Every text of rules that a repository had; the one with the highest number holds.
CREATE TABLE policies (
    id bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    repository_id bigint NOT NULL REFERENCES repositories (id) ON DELETE CASCADE,
    number integer NOT NULL,
    -- The policy file; null: the rules were taken away.
    text text,
    set_by text NOT NULL,
    set_at timestamptz NOT NULL DEFAULT now(),
    -- Crates up to this id were judged by it; null once all were.
    judged_up_to bigint DEFAULT 0,
    UNIQUE (repository_id, number)
);

-- Owner: Policy. Only of versions that are more than just allowed.
CREATE TABLE decisions (
    version_id bigint PRIMARY KEY REFERENCES versions (id) ON DELETE CASCADE,
    decision text NOT NULL CHECK (decision IN ('allow', 'flag', 'quarantine', 'block')),
    -- The rule that decided.
    rule text,
    -- Why a download is refused; null: it is not.
    refusal text,
    -- The file of an upstream's version will tell; until it is fetched nothing is refused.
    awaits_file boolean NOT NULL,
    holds_yank boolean NOT NULL,
    -- Reasons and exceptions, as JSON.
    data text NOT NULL,
    decided_at timestamptz NOT NULL DEFAULT now(),
    -- When the clock alone may change it.
    again_at timestamptz
);

CREATE INDEX decisions_again ON decisions (again_at) WHERE again_at IS NOT NULL;

-- Owner: Policy. Quarantined versions that somebody let go.
CREATE TABLE releases (
    repository_id bigint NOT NULL REFERENCES repositories (id) ON DELETE CASCADE,
    identity text NOT NULL,
    bare_number text NOT NULL,
    rule text NOT NULL,
    reason text NOT NULL,
    released_by text NOT NULL,
    released_at timestamptz NOT NULL DEFAULT now(),
    PRIMARY KEY (repository_id, identity, bare_number, rule)
);

-- The line as it would be served without a policy, which changes `yanked` in `line`; null: they are the same.
ALTER TABLE versions ADD COLUMN source_line text;
CREATE INDEX versions_source_line ON versions (crate_id) WHERE source_line IS NOT NULL;
