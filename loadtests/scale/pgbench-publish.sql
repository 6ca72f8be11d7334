-- What the origin sends for the publish of a new crate: who publishes, which repository, then PublishStore's transaction with facts, the audit
-- row and the event. The same tables, the same order, the same lock at the end. (Times have hyphens: pgbench reads a colon as its own.)
\set n random(1, 1000000000000)
SELECT (SELECT position FROM feed_head) AS position, tokens.id, tokens.name, users.login, tokens.user_id, tokens.grants,
  to_char(tokens.created_at, 'YYYY-MM-DD"T"HH24-MI-SS"Z"') AS created,
  to_char(tokens.expires_at, 'YYYY-MM-DD"T"HH24-MI-SS"Z"') AS expires,
  to_char(tokens.revoked_at, 'YYYY-MM-DD"T"HH24-MI-SS"Z"') AS revoked,
  floor(extract(epoch FROM tokens.expires_at))::bigint AS expires_seconds,
  coalesce(tokens.expires_at <= now(), false) AS is_expired
FROM (SELECT) AS one_row
  LEFT JOIN (tokens JOIN users ON users.id = tokens.user_id) ON tokens.hash = decode(md5('bench') || md5('bench'), 'hex');
SELECT id, name, is_private, offline, offline_seconds_max, metadata_required, EXISTS (
    SELECT FROM upstreams WHERE repository_id = repositories.id AND removed_at IS NULL
  ) AS reads_through, rewrite_crates_io, rewrites_crates_io FROM repositories WHERE name = 'main';
BEGIN ISOLATION LEVEL READ COMMITTED;
SELECT rewrites_crates_io FROM repositories WHERE id = 1 FOR SHARE;
INSERT INTO crates (repository_id, identity, name) VALUES (1, 'pgbench_' || :n, 'pgbench-' || :n)
  ON CONFLICT (repository_id, identity) DO UPDATE SET identity = EXCLUDED.identity RETURNING id, name, generation \gset
SELECT EXISTS (SELECT 1 FROM versions WHERE crate_id = :id AND bare_number = '1.0.0') AS is_there,
  (SELECT checksum FROM checksums WHERE repository = 'main' AND identity = 'pgbench_' || :n AND bare_number = '1.0.0') AS checksum;
SELECT 1 AS one FROM owners WHERE crate_id = :id AND user_id = 1;
INSERT INTO owners (crate_id, user_id) VALUES (:id, 1);
INSERT INTO checksums (repository, identity, bare_number, checksum)
  VALUES ('main', 'pgbench_' || :n, '1.0.0', sha256(convert_to('pgbench-' || :n, 'UTF8'))) ON CONFLICT DO NOTHING;
INSERT INTO versions (crate_id, number, bare_number, checksum, bytes, line, yanked, published_by, published_at)
  VALUES (:id, '1.0.0', '1.0.0', sha256(convert_to('pgbench-' || :n, 'UTF8')), 254, '{"name":"pgbench-' || :n ||
    '","vers":"1.0.0","deps":[],"cksum":"8c33d98bbaed4d18f0bfac85bf37f78df59d206eb0e4165e9fca8feba54e7d11","features":{},'
    || '"yanked": false,"pubtime":"2026-11-25T16-33-15Z"}', false, 1, now()) RETURNING id AS version \gset
SELECT number, yanked FROM versions WHERE crate_id = :id;
UPDATE crates SET generation = generation + 1, newest = '1.0.0', updated_at = now(),
  (index_checksum, index_bytes) = (
    SELECT sha256(convert_to(file.text, 'UTF8')), octet_length(file.text) FROM (
      SELECT string_agg(line || E'\n', '' ORDER BY id) AS text FROM versions WHERE crate_id = :id
    ) AS file)
  WHERE id = :id RETURNING generation, index_checksum, index_bytes;
SELECT line FROM versions WHERE crate_id = :id AND number = ANY('{1.0.0}'::text[]);
INSERT INTO dependencies (crate_id, generation, names) VALUES (:id, 1, '{}'::text[])
  ON CONFLICT (crate_id) DO UPDATE SET generation = EXCLUDED.generation, names = EXCLUDED.names;
UPDATE crates SET description = 'made by pgbench', keywords = '{}'::text[],
  search = setweight(array_to_tsvector(ARRAY['pgbench_' || :n]), 'A') || setweight(to_tsvector('simple', 'pgbench ' || :n), 'A')
    || setweight(to_tsvector('simple', ''), 'B') || setweight(to_tsvector('english', left('made by pgbench', 4000)), 'C')
  WHERE id = :id AND newest = '1.0.0';
INSERT INTO facts (version_id, origin, upstream, published_at, has_manifest, license, has_license_file, build_script, proc_macro,
    links, dependencies_normal, dependencies_build, dependencies_dev)
  VALUES (:version, 'published', NULL, now(), true, 'MIT', false, false, false, NULL, 0, 0, 0);
SELECT pg_advisory_xact_lock_shared(7814704545924513793);
SELECT data FROM advisories WHERE identity = ANY(ARRAY['pgbench_' || :n]) AND NOT is_removed;
SELECT pg_advisory_xact_lock_shared(7814704610532917249);
SELECT v.id, v.number, c.id AS crate_id, c.name, r.name AS repository, p.id AS policy_id, extract(epoch FROM now())::bigint AS now
  FROM versions v JOIN crates c ON c.id = v.crate_id JOIN repositories r ON r.id = c.repository_id
  CROSS JOIN LATERAL (SELECT id FROM policies WHERE repository_id = r.id ORDER BY number DESC LIMIT 1) AS p
  WHERE v.id = ANY(ARRAY[:version]::bigint[]) ORDER BY v.id;
INSERT INTO audit (actor, token_id, action, repository, crate, version, detail)
  VALUES ('bench', 1, 'publish-new', 'main', 'pgbench-' || :n, '1.0.0', '{"bytes": "254"}'::jsonb);
WITH head AS (
  UPDATE feed_head SET position = position + 1 RETURNING position
), written AS (
  INSERT INTO feed (position, kind, data)
  SELECT head.position - 1 + event.place, event.kind, event.data
  FROM head, unnest('{index}'::text[], ARRAY['{"bytes": 188,"crate":"pgbench-' || :n || '","generation": 1,"repository":"main",'
    || '"sha256":"95f4586781c6026c7620e56e5e7e648e313e3f3db6abaf82146783bd02c4784e"}']) WITH ORDINALITY AS event (kind, data, place)
)
SELECT position, pg_notify('longshore_feed', position::text) FROM head;
COMMIT;
