-- The first schema. One owner slice a table, named in each comment; others ask that slice's store.

-- Owner: Repositories.
CREATE TABLE repositories (
    id bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    name text NOT NULL UNIQUE,
    is_private boolean NOT NULL,
    offline text NOT NULL DEFAULT 'serve-stale' CHECK (offline IN ('serve-stale', 'refuse')),
    offline_seconds_max integer NOT NULL DEFAULT 86400 CHECK (offline_seconds_max >= 0),
    -- True: a publish without description or licence is refused.
    metadata_required boolean NOT NULL DEFAULT false,
    created_at timestamptz NOT NULL DEFAULT now()
);

-- Owner: Access. `id` goes to cargo as a number below 2^32.
CREATE TABLE users (
    id integer GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    login text NOT NULL UNIQUE,
    created_at timestamptz NOT NULL DEFAULT now()
);

-- Owner: Access. The secret itself is never stored; `hash` is its SHA-256.
CREATE TABLE tokens (
    id bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    user_id integer NOT NULL REFERENCES users (id),
    name text NOT NULL,
    hash bytea NOT NULL UNIQUE CHECK (octet_length(hash) = 32),
    -- An array of {"actions":[…],"repositories":[…],"crates":[…]}.
    grants jsonb NOT NULL,
    created_at timestamptz NOT NULL DEFAULT now(),
    expires_at timestamptz,
    revoked_at timestamptz
);

-- Owner: Edges. An edge's join credential, and what it last reported of itself.
CREATE TABLE edges (
    id bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    name text NOT NULL UNIQUE,
    region text NOT NULL DEFAULT '',
    hash bytea NOT NULL UNIQUE CHECK (octet_length(hash) = 32),
    public_url text,
    created_at timestamptz NOT NULL DEFAULT now(),
    seen_at timestamptz,
    revoked_at timestamptz
);

-- Owner: Publish. `identity` is the lower-case name with `-` read as `_`; `name` is the first publisher's spelling.
CREATE TABLE crates (
    id bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    repository_id bigint NOT NULL REFERENCES repositories (id) ON DELETE CASCADE,
    identity text NOT NULL,
    name text NOT NULL,
    -- Counts the changes of the index file; 0 only inside the transaction that creates the crate.
    generation bigint NOT NULL DEFAULT 0,
    index_checksum bytea,
    index_bytes bigint NOT NULL DEFAULT 0,
    description text NOT NULL DEFAULT '',
    keywords text[] NOT NULL DEFAULT '{}',
    -- The highest version that is not yanked, releases before pre-releases; the highest of all if every one is yanked.
    newest text NOT NULL DEFAULT '',
    search tsvector NOT NULL DEFAULT ''::tsvector,
    created_at timestamptz NOT NULL DEFAULT now(),
    updated_at timestamptz NOT NULL DEFAULT now(),
    UNIQUE (repository_id, identity)
);

CREATE INDEX crates_search ON crates USING gin (search);

-- Owner: Publish. `line` is the finished index line without its line feed; `bare_number` leaves build metadata out.
CREATE TABLE versions (
    id bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    crate_id bigint NOT NULL REFERENCES crates (id) ON DELETE CASCADE,
    number text NOT NULL,
    bare_number text NOT NULL,
    checksum bytea NOT NULL CHECK (octet_length(checksum) = 32),
    bytes bigint NOT NULL,
    line text NOT NULL,
    yanked boolean NOT NULL DEFAULT false,
    published_by integer REFERENCES users (id),
    published_at timestamptz NOT NULL DEFAULT now(),
    UNIQUE (crate_id, bare_number)
);

-- Owner: Publish. What a version's checksum is, for ever (I2): rows survive the version, the crate and the repository.
CREATE TABLE checksums (
    repository text NOT NULL,
    identity text NOT NULL,
    bare_number text NOT NULL,
    checksum bytea NOT NULL CHECK (octet_length(checksum) = 32),
    PRIMARY KEY (repository, identity, bare_number)
);

-- Owner: Owners.
CREATE TABLE owners (
    crate_id bigint NOT NULL REFERENCES crates (id) ON DELETE CASCADE,
    user_id integer NOT NULL REFERENCES users (id),
    PRIMARY KEY (crate_id, user_id)
);

-- Owner: Audit. Written in the transaction of the change that it tells of; never changed.
CREATE TABLE audit (
    id bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    at timestamptz NOT NULL DEFAULT now(),
    -- A login, `command line` or `edge NAME`.
    actor text NOT NULL,
    token_id bigint,
    action text NOT NULL,
    repository text,
    crate text,
    version text,
    detail jsonb NOT NULL DEFAULT '{}'
);

-- Owner: Feed. One row; the lock on it, held until commit, makes positions gapless and commit-ordered (I3).
CREATE TABLE feed_head (
    is_only_row boolean PRIMARY KEY DEFAULT true CHECK (is_only_row),
    position bigint NOT NULL
);

INSERT INTO feed_head (position) VALUES (0);

-- Owner: Feed.
CREATE TABLE feed (
    position bigint PRIMARY KEY,
    kind text NOT NULL,
    data text NOT NULL,
    at timestamptz NOT NULL DEFAULT now()
);

-- Owner: Feed. What each running origin replica says of itself each second; old rows are dead replicas.
CREATE TABLE replicas (
    id text PRIMARY KEY,
    seen_at timestamptz NOT NULL DEFAULT now(),
    edges integer NOT NULL DEFAULT 0,
    -- The lowest position that all edges connected to this replica have applied; null without edges.
    applied bigint
);
