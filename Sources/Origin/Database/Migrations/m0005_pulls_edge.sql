-- What an edge has served, the latest first, without a walk through the trail of all others.
CREATE INDEX pulls_edge ON pulls (edge, id);
