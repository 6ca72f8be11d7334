-- What upstreams ask of us, and what they want to see.

-- Not asked for any name before; every replica keeps to it.
ALTER TABLE upstreams ADD COLUMN paused_until timestamptz;
ALTER TABLE upstreams ADD COLUMN pause_cause text;
-- Hosts besides its own that its downloads may be sent to.
ALTER TABLE upstreams ADD COLUMN also_hosts text[] NOT NULL DEFAULT '{}';
-- What goes into `Authorization`, sealed for `upstream ID`; null: nothing does.
ALTER TABLE upstreams ADD COLUMN sealed_credential bytea;

-- Whose turn it is, for each upstream by itself.
CREATE INDEX upstream_files_turn ON upstream_files (upstream_id, checked_at);
DROP INDEX upstream_files_age;
