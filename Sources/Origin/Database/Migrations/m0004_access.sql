-- What edges say of themselves, who read what, and how often.

-- The last `EdgeReport` as it came, and when.
ALTER TABLE edges ADD COLUMN report jsonb, ADD COLUMN reported_at timestamptz;

-- The feed streams of this replica's edges, as of each second: [{"edge":1,"applied":1042,"since":"…"}].
ALTER TABLE replicas ADD COLUMN streams jsonb NOT NULL DEFAULT '[]';

-- Owner: Downloads. How often something was read on a day, and where; names, so that counts outlive what they count.
CREATE TABLE read_counts (
    repository text NOT NULL,
    -- The crate's identity: lower case, `-` read as `_`.
    crate text NOT NULL,
    -- As the index line has it; '' is the crate's index file.
    version text NOT NULL,
    day date NOT NULL,
    -- The edge's name; '' is the origin itself.
    edge text NOT NULL,
    count bigint NOT NULL,
    PRIMARY KEY (repository, crate, version, day, edge)
);

-- Owner: Downloads. Who downloaded what, for as long as `pull-days` says.
CREATE TABLE pulls (
    id bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    at timestamptz NOT NULL,
    edge text NOT NULL,
    repository text NOT NULL,
    crate text NOT NULL,
    version text NOT NULL,
    -- Null: an anonymous reader.
    token_id bigint,
    bytes bigint NOT NULL,
    cache text NOT NULL
);

CREATE INDEX pulls_at ON pulls (at);
CREATE INDEX pulls_crate ON pulls (repository, crate, id);
CREATE INDEX pulls_token ON pulls (token_id, id);

-- Owner: Downloads. The last batch that was taken of each spool of each edge.
CREATE TABLE access_batches (
    edge_id bigint NOT NULL REFERENCES edges (id),
    spool text NOT NULL,
    number bigint NOT NULL,
    taken_at timestamptz NOT NULL DEFAULT now(),
    PRIMARY KEY (edge_id, spool)
);
