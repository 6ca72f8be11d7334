-- What a resolver asks after a crate's index file, for edges that fetch both in one question.

-- Owner: Closure. A hint: a row that is missing or old costs an edge a question, never a wrong answer.
CREATE TABLE dependencies (
    crate_id bigint PRIMARY KEY REFERENCES crates (id) ON DELETE CASCADE,
    -- The crate's generation that `names` was made from; another one there means that the row is to be made anew.
    generation bigint NOT NULL,
    -- Lower-case names of crates in the same repository, as cargo asks for them.
    names text[] NOT NULL
);
