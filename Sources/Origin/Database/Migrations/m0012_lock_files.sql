-- Which builds hold which versions (docs/decisions/0021-lock-files.md).

-- Owner: LockFiles. The newest lock file of each name; a repository keeps a bounded number.
CREATE TABLE lock_files (
    id bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    repository_id bigint NOT NULL REFERENCES repositories (id) ON DELETE CASCADE,
    name text NOT NULL,
    -- Who put the first one of this name: a login, or `command line`. Only administrators touch another's.
    owner text NOT NULL,
    -- Who put this text; the token is null on the command line.
    put_by text NOT NULL,
    put_token bigint,
    text text NOT NULL,
    bytes integer NOT NULL,
    sha256 bytea NOT NULL CHECK (octet_length(sha256) = 32),
    packages integer NOT NULL,
    -- When this text first came, and when it was last sent.
    changed_at timestamptz NOT NULL DEFAULT now(),
    seen_at timestamptz NOT NULL DEFAULT now(),
    UNIQUE (repository_id, name)
);

-- Owner: LockFiles. What they hold from registries; null: the lock file has no checksum.
CREATE TABLE lock_entries (
    lock_file_id bigint NOT NULL REFERENCES lock_files (id) ON DELETE CASCADE,
    identity text NOT NULL,
    bare_number text NOT NULL,
    checksum bytea
);

CREATE INDEX lock_entries_version ON lock_entries (identity, bare_number);
CREATE INDEX lock_entries_file ON lock_entries (lock_file_id);
