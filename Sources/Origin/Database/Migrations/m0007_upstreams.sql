-- Repositories that read through to other registries.

-- Owner: Upstreams. A removed one stays, because versions that came from it do.
CREATE TABLE upstreams (
    id bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    repository_id bigint NOT NULL REFERENCES repositories (id) ON DELETE CASCADE,
    name text NOT NULL,
    -- Lower ones are asked first.
    place integer NOT NULL,
    -- `https://index.crates.io/`: without `sparse+`, with the final slash.
    index_url text NOT NULL,
    include text[] NOT NULL,
    exclude text[] NOT NULL,
    fresh_seconds integer NOT NULL CHECK (fresh_seconds > 0),
    -- True: it may be at an address that is not a public one.
    private_allowed boolean NOT NULL,
    created_at timestamptz NOT NULL DEFAULT now(),
    removed_at timestamptz
);

CREATE UNIQUE INDEX upstreams_name ON upstreams (repository_id, name) WHERE removed_at IS NULL;

-- Owner: Upstreams. Names that no upstream of the repository is asked for.
CREATE TABLE upstream_reserved (
    repository_id bigint NOT NULL REFERENCES repositories (id) ON DELETE CASCADE,
    pattern text NOT NULL,
    PRIMARY KEY (repository_id, pattern)
);

-- Owner: Upstreams. What an upstream last said of a name; written together with the lines that came with it.
CREATE TABLE upstream_files (
    upstream_id bigint NOT NULL REFERENCES upstreams (id) ON DELETE CASCADE,
    -- In lower case, as it is asked for.
    name text NOT NULL,
    is_absent boolean NOT NULL,
    etag text,
    last_modified text,
    checked_at timestamptz NOT NULL DEFAULT now(),
    -- Counts the answers, so that of two at once only one is taken.
    stamp bigint NOT NULL DEFAULT 0,
    -- A replica is asking.
    claimed_until timestamptz,
    PRIMARY KEY (upstream_id, name)
);

CREATE INDEX upstream_files_age ON upstream_files (checked_at);

-- Owner: Upstreams. The last useless answer for each name; gone after the next useful one.
CREATE TABLE upstream_faults (
    upstream_id bigint NOT NULL REFERENCES upstreams (id) ON DELETE CASCADE,
    name text NOT NULL,
    cause text NOT NULL,
    at timestamptz NOT NULL DEFAULT now(),
    -- Not asked again before.
    retry_at timestamptz NOT NULL,
    PRIMARY KEY (upstream_id, name)
);

-- Null for what was published or imported here. `bytes` is 0 until the file of an upstream's version was fetched.
ALTER TABLE versions ADD COLUMN upstream_id bigint REFERENCES upstreams (id) ON DELETE CASCADE;
-- What the upstream's own line says, whatever the served one does.
ALTER TABLE versions ADD COLUMN upstream_yanked boolean NOT NULL DEFAULT false;
