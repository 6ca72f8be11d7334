-- From where a download was asked for.

-- The client's address, as the edge or the origin that served it knows it; null: from an edge that does not tell, or unknown.
ALTER TABLE pulls ADD COLUMN address text;
