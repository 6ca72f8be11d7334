-- The audit log as a chain of hashes that nobody rewrites unseen (docs/decisions/0016-audit.md).

ALTER TABLE audit
    -- Gapless, in the order of commits; `id` has gaps, and stays for replicas of the version before.
    ADD COLUMN seq bigint,
    -- SHA-256 of the line before, 32 zero bytes before the first, and of this line's canonical text with `prev` in it.
    ADD COLUMN prev bytea,
    ADD COLUMN hash bytea,
    -- Where the request came from, and its id in the log.
    ADD COLUMN address text,
    ADD COLUMN request text,
    -- The rule that decided: of a policy, or why access was refused.
    ADD COLUMN rule text;

-- Owner: Audit. One row; the lock on it, held until commit, makes the chain gapless, as that of feed_head does the feed.
-- Taken before feed_head, always: audit first, feed last.
CREATE TABLE audit_head (
    is_only_row boolean PRIMARY KEY DEFAULT true CHECK (is_only_row),
    seq bigint NOT NULL,
    hash bytea NOT NULL CHECK (octet_length(hash) = 32)
);

INSERT INTO audit_head (seq, hash) VALUES (0, decode(repeat('00', 32), 'hex'));

-- What is hashed: compact JSON with sorted keys, the same bytes as `jq -cSj 'del(.hash)'` of an exported line.
CREATE FUNCTION audit_canonical(line audit) RETURNS text LANGUAGE sql STABLE AS $$
    SELECT '{"action":' || to_json(line.action) || ',"actor":' || to_json(line.actor)
        || coalesce(',"address":' || to_json(line.address), '')
        || ',"at":"' || to_char(line.at AT TIME ZONE 'UTC', 'YYYY-MM-DD"T"HH24:MI:SS.US') || 'Z"'
        || coalesce(',"crate":' || to_json(line.crate), '')
        || ',"detail":{' || coalesce((
            SELECT string_agg(to_json(key) || ':' || to_json(value), ',' ORDER BY key COLLATE "C")
            FROM jsonb_each_text(line.detail)), '') || '}'
        || ',"prev":"' || encode(line.prev, 'hex') || '"'
        || coalesce(',"repository":' || to_json(line.repository), '')
        || coalesce(',"request":' || to_json(line.request), '')
        || coalesce(',"rule":' || to_json(line.rule), '')
        || ',"seq":' || line.seq
        || coalesce(',"token":' || line.token_id, '')
        || coalesce(',"version":' || to_json(line.version), '')
        || '}'
$$;

-- Numbers, dates and hashes a line as it is inserted, whatever the inserter says of these: replicas of the version before
-- are chained as well. Runs with the rights of the owner, so that the server's role needs none on audit_head.
CREATE FUNCTION audit_chain() RETURNS trigger LANGUAGE plpgsql SECURITY DEFINER AS $$
BEGIN
    SELECT head.seq + 1, head.hash INTO STRICT NEW.seq, NEW.prev FROM audit_head AS head FOR UPDATE;
    -- Under the lock, so that the times of a chain rise as its numbers do.
    NEW.at := clock_timestamp();
    NEW.hash := sha256(convert_to(audit_canonical(NEW), 'UTF8'));
    UPDATE audit_head SET seq = NEW.seq, hash = NEW.hash;
    RETURN NEW;
END
$$;

-- A second guard behind the missing privileges, and the only one where one role owns the tables and serves.
CREATE FUNCTION audit_refuse() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    -- `longshore-origin audit archive` says this in the transaction that deletes what it has put into a file.
    IF TG_OP = 'DELETE' AND current_setting('longshore.audit_archive', true) = 'on' THEN
        RETURN OLD;
    END IF;
    RAISE EXCEPTION 'lines of the audit log are never changed: % refused', TG_OP USING ERRCODE = 'insufficient_privilege';
END
$$;

-- A temporary table of the same name must not stand before ours while a function runs with the owner's rights.
DO $$
BEGIN
    EXECUTE format('ALTER FUNCTION audit_chain() SET search_path = %I, pg_temp', current_schema());
END
$$;

-- The lines so far, in the order in which they were written. What happened to them before now, no chain can say.
DO $$
DECLARE
    line audit;
    last audit_head;
BEGIN
    SELECT * INTO last FROM audit_head;
    FOR line IN SELECT * FROM audit ORDER BY id LOOP
        line.seq := last.seq + 1;
        line.prev := last.hash;
        line.hash := sha256(convert_to(audit_canonical(line), 'UTF8'));
        UPDATE audit SET seq = line.seq, prev = line.prev, hash = line.hash WHERE id = line.id;
        last.seq := line.seq;
        last.hash := line.hash;
    END LOOP;
    UPDATE audit_head SET seq = last.seq, hash = last.hash;
END
$$;

ALTER TABLE audit
    ALTER COLUMN seq SET NOT NULL,
    ALTER COLUMN prev SET NOT NULL,
    ALTER COLUMN hash SET NOT NULL,
    ADD CONSTRAINT audit_seq UNIQUE (seq);

-- What is asked of the log: by crate whatever its spelling, by who, by what, by when.
CREATE INDEX audit_crate ON audit (replace(lower(crate), '-', '_'), seq) WHERE crate IS NOT NULL;
CREATE INDEX audit_actor ON audit (actor, seq);
CREATE INDEX audit_token ON audit (token_id, seq) WHERE token_id IS NOT NULL;
CREATE INDEX audit_action ON audit (action, seq);
CREATE INDEX audit_time ON audit (at);

CREATE TRIGGER audit_chain BEFORE INSERT ON audit FOR EACH ROW EXECUTE FUNCTION audit_chain();
CREATE TRIGGER audit_refuse BEFORE UPDATE OR DELETE ON audit FOR EACH ROW EXECUTE FUNCTION audit_refuse();
CREATE TRIGGER audit_refuse_all BEFORE TRUNCATE ON audit FOR EACH STATEMENT EXECUTE FUNCTION audit_refuse();

-- Owner: Downloads. One row: the last pull that a line of the audit log has sealed.
CREATE TABLE pull_seal (
    is_only_row boolean PRIMARY KEY DEFAULT true CHECK (is_only_row),
    last_id bigint NOT NULL
);

INSERT INTO pull_seal (last_id) VALUES (0);

-- Who pulled this version, whatever the repository.
CREATE INDEX pulls_version ON pulls (crate, version, id);

-- Owner: Audit. Keys that sign checkpoints; the newest signs. Their public halves are kept outside, with the checkpoints.
CREATE TABLE audit_keys (
    id text PRIMARY KEY,
    public_key bytea NOT NULL CHECK (octet_length(public_key) = 32),
    -- Sealed with the signing secret, which no dump of this database holds.
    sealed_seed bytea NOT NULL,
    created_at timestamptz NOT NULL DEFAULT clock_timestamp()
);

-- Owner: AuditExport. How far each export is: everything up to `seq` has arrived.
CREATE TABLE audit_exports (
    name text PRIMARY KEY,
    seq bigint NOT NULL,
    -- Who is at it, and until when others believe so.
    holder text NOT NULL,
    held_until timestamptz NOT NULL,
    updated_at timestamptz NOT NULL DEFAULT now()
);

-- Owner: Webhooks. Who outside wants to hear of which actions.
CREATE TABLE webhooks (
    id bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    name text NOT NULL UNIQUE,
    url text NOT NULL,
    -- `publish`, `token.*` or `*`.
    actions text[] NOT NULL,
    -- True: the address may be in a private network.
    allows_private boolean NOT NULL,
    -- What messages are signed with, sealed with the signing secret.
    sealed_secret bytea NOT NULL,
    -- The last line of the log that was looked at.
    seq bigint NOT NULL,
    created_at timestamptz NOT NULL DEFAULT now()
);

-- Owner: Webhooks. Lines that a webhook was not told yet; dead ones are tried no more.
CREATE TABLE webhook_deliveries (
    webhook_id bigint NOT NULL REFERENCES webhooks (id) ON DELETE CASCADE,
    seq bigint NOT NULL,
    attempts integer NOT NULL DEFAULT 0,
    due_at timestamptz NOT NULL DEFAULT now(),
    error text,
    dead_at timestamptz,
    PRIMARY KEY (webhook_id, seq)
);

CREATE INDEX webhook_deliveries_due ON webhook_deliveries (due_at) WHERE dead_at IS NULL;

-- Owner: Audit. Lines that are in a file and no longer in the table; written by the owner of the tables only.
CREATE TABLE audit_archives (
    last_seq bigint PRIMARY KEY,
    first_seq bigint NOT NULL,
    -- The signed word on the last line, one JSON object, as at the end of the file.
    checkpoint text NOT NULL,
    made_at timestamptz NOT NULL DEFAULT clock_timestamp()
);
