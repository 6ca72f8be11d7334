-- Keys that sign download URLs (docs/decisions/0006-signed-urls.md).

-- Owner: SignedURLs.
CREATE TABLE signing_keys (
    id text PRIMARY KEY,
    public_key bytea NOT NULL CHECK (octet_length(public_key) = 32),
    -- The private half, sealed with the signing secret, which no dump of this database holds. Null once retired.
    sealed_seed bytea,
    created_at timestamptz NOT NULL DEFAULT now(),
    -- Edges know a key from its creation; it signs from here on, until a newer one does.
    active_from timestamptz NOT NULL,
    retired_at timestamptz,
    CHECK ((sealed_seed IS NULL) = (retired_at IS NOT NULL))
);
