-- What the origin sends for an edge's read of an index file: who asks, which repository, and the file (IndexStore). pgbench draws
-- numbers, so measure-scale has put the names into a table.
\set n random(1, :names)
SELECT id, name, revoked_at IS NOT NULL AS is_revoked FROM edges WHERE hash = decode(md5('bench') || md5('bench'), 'hex');
SELECT id, name, is_private, offline, offline_seconds_max, metadata_required FROM repositories WHERE name = 'main';
SELECT feed_head.position, found.* FROM feed_head LEFT JOIN (
  SELECT crate.generation, crate.index_checksum, crate.is_known, CASE WHEN NOT crate.is_known THEN (
    SELECT string_agg(line || E'\n', '' ORDER BY id) FROM versions WHERE crate_id = crate.id
  ) END AS text FROM (
    SELECT id, generation, index_checksum,
      (generation || '-' || encode(index_checksum, 'hex')) = ANY('{}'::text[]) AS is_known
    FROM crates WHERE repository_id = 1 AND identity = (SELECT identity FROM bench_names WHERE n = :n)
      AND lower(name) = (SELECT name FROM bench_names WHERE n = :n)
  ) AS crate
) AS found ON true;
