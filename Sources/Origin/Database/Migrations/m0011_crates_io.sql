-- Dependencies on crates.io that stay inside a repository which reads crates.io itself.

-- What the operator says: 'auto' follows the upstreams.
ALTER TABLE repositories ADD COLUMN rewrite_crates_io text NOT NULL DEFAULT 'auto'
    CHECK (rewrite_crates_io IN ('auto', 'on', 'off'));
-- What holds: lines of the repository's own crates are served without crates.io as a registry.
ALTER TABLE repositories ADD COLUMN rewrites_crates_io boolean NOT NULL DEFAULT false;
-- Counts the changes of what holds, so that nobody takes one state for the next but one.
ALTER TABLE repositories ADD COLUMN rewrites_changed bigint NOT NULL DEFAULT 0;
-- Not null while lines of own crates are still made anew: those of crates up to this id are.
ALTER TABLE repositories ADD COLUMN lines_renewed_to bigint;

-- The line as it was published, if the served one is not that; only dependencies and `yanked` ever differ.
ALTER TABLE versions ADD COLUMN published_line text;

-- Repositories that read crates.io from before there was such a setting.
UPDATE repositories SET rewrites_crates_io = true, lines_renewed_to = 0 WHERE EXISTS (
    SELECT FROM upstreams WHERE repository_id = repositories.id AND removed_at IS NULL
      AND lower(index_url) = 'https://index.crates.io/');
