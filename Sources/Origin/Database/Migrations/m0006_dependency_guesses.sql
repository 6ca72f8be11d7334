-- What a resolver perhaps asks after a crate's index file, besides what it nearly always asks: see m0003_dependencies.sql.

ALTER TABLE dependencies
    -- What the default features switch on. NULL: not worked out yet.
    ADD COLUMN likely text[],
    -- What other features switch on, of the newest version alone.
    ADD COLUMN optional text[];
