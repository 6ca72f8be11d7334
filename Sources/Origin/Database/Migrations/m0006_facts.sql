-- What policies judge versions by, and the advisories that hold for them (docs/FACTS.md).

-- Owner: Facts. One row a version, written in the transaction that adds the version.
CREATE TABLE facts (
    version_id bigint PRIMARY KEY REFERENCES versions (id) ON DELETE CASCADE,
    origin text NOT NULL CHECK (origin IN ('published', 'imported', 'upstream')),
    -- The upstream's name.
    upstream text CHECK ((upstream IS NULL) = (origin <> 'upstream')),
    first_seen_at timestamptz NOT NULL DEFAULT now(),
    -- Null: nobody vouches for a time.
    published_at timestamptz,
    -- False: the Cargo.toml in the .crate was not read yet, so the next four mean nothing.
    has_manifest boolean NOT NULL,
    license text,
    has_license_file boolean NOT NULL DEFAULT false,
    build_script boolean NOT NULL DEFAULT false,
    proc_macro boolean NOT NULL DEFAULT false,
    links text,
    -- Who yanked it and when; null if it is not yanked, or was so when it came.
    yanked_by text CHECK (yanked_by IN ('owner', 'upstream')),
    yanked_at timestamptz CHECK ((yanked_at IS NULL) = (yanked_by IS NULL)),
    dependencies_normal integer NOT NULL,
    dependencies_build integer NOT NULL,
    dependencies_dev integer NOT NULL
);

CREATE INDEX facts_unread ON facts (version_id) WHERE NOT has_manifest;

-- Versions from before this migration: what their index lines say. The next start of the origin reads the rest.
-- A line that is damaged must not keep the database from its migration; `verify` tells of it.
CREATE FUNCTION pg_temp.line_json(line text) RETURNS jsonb LANGUAGE plpgsql AS $$
BEGIN
    RETURN line::jsonb;
EXCEPTION WHEN OTHERS THEN
    RETURN '{}';
END
$$;

CREATE FUNCTION pg_temp.dependencies(line jsonb, kind text) RETURNS bigint LANGUAGE sql AS $$
    SELECT count(*) FROM jsonb_path_query(line, '$.deps[*].kind') AS found WHERE found #>> '{}' = kind
$$;

INSERT INTO facts (version_id, origin, first_seen_at, published_at, has_manifest, links, dependencies_normal,
    dependencies_build, dependencies_dev)
SELECT id, CASE WHEN published_by IS NULL THEN 'imported' ELSE 'published' END, published_at,
    CASE WHEN published_by IS NULL THEN (line ->> 'pubtime')::timestamptz ELSE published_at END, false, line ->> 'links',
    pg_temp.dependencies(line, 'normal'), pg_temp.dependencies(line, 'build'), pg_temp.dependencies(line, 'dev')
FROM (SELECT id, published_by, published_at, pg_temp.line_json(line) AS line FROM versions) AS old;

DROP FUNCTION pg_temp.line_json(text), pg_temp.dependencies(jsonb, text);

-- Owner: Advisories.
CREATE TABLE advisories (
    id text PRIMARY KEY,
    -- The database that it was last read from.
    database text NOT NULL,
    -- Of the crate that it speaks of, in whichever repository; null if it speaks of none.
    identity text,
    kind text NOT NULL,
    -- CVSS, in tenths; null is unscored.
    score smallint CHECK (score BETWEEN 0 AND 100),
    withdrawn boolean NOT NULL,
    -- The whole of it, as JSON.
    data text NOT NULL,
    -- Counts the changes of `data`.
    revision bigint NOT NULL DEFAULT 1,
    -- No longer in the database; the row goes with its matches once these are undone.
    is_removed boolean NOT NULL DEFAULT false,
    -- False from a change on until `advisory_matches` agrees with it.
    is_matched boolean NOT NULL,
    changed_at timestamptz NOT NULL DEFAULT now()
);

CREATE INDEX advisories_identity ON advisories (identity);
CREATE INDEX advisories_unmatched ON advisories (identity) WHERE NOT is_matched;

-- Owner: Advisories. Which advisories hold for which versions, withdrawn ones among them.
CREATE TABLE advisory_matches (
    version_id bigint NOT NULL REFERENCES versions (id) ON DELETE CASCADE,
    advisory_id text NOT NULL REFERENCES advisories (id) ON DELETE CASCADE,
    PRIMARY KEY (version_id, advisory_id)
);

CREATE INDEX advisory_matches_advisory ON advisory_matches (advisory_id);

-- An advisory touches a crate in every repository.
CREATE INDEX crates_identity ON crates (identity);
