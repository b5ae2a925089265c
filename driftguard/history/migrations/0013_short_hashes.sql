-- A body is looked for by the beginning of its hash; six bytes of it are as good as unique.
DROP INDEX bodies_hash;
CREATE INDEX bodies_hash ON bodies (substr(hash, 1, 7));
