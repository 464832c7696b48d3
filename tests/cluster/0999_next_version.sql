-- What the next version may bring: a table that this one does not know.

CREATE TABLE next_version (id bigint PRIMARY KEY);
