-- Full-text search as sqlite-utils and Datasette ask for it: they find the index by content="resources" (in
-- double quotes), and MATCH looks for phrases, which an index without details cannot answer.
DROP TRIGGER resources_fts_insert;;
DROP TRIGGER resources_fts_delete;;
DROP TRIGGER resources_fts_update;;
DROP TABLE resources_fts;;

CREATE VIRTUAL TABLE resources_fts USING FTS5(
  identifier, name, logical_id,
  content="resources", content_rowid="id", tokenize='trigram'
);;

CREATE TRIGGER resources_fts_insert AFTER INSERT ON resources BEGIN
  INSERT INTO resources_fts (rowid, identifier, name, logical_id)
  VALUES (new.id, new.identifier, new.name, new.logical_id);
END;;
CREATE TRIGGER resources_fts_delete AFTER DELETE ON resources BEGIN
  INSERT INTO resources_fts (resources_fts, rowid, identifier, name, logical_id)
  VALUES ('delete', old.id, old.identifier, old.name, old.logical_id);
END;;
CREATE TRIGGER resources_fts_update AFTER UPDATE OF identifier, name, logical_id ON resources BEGIN
  INSERT INTO resources_fts (resources_fts, rowid, identifier, name, logical_id)
  VALUES ('delete', old.id, old.identifier, old.name, old.logical_id);
  INSERT INTO resources_fts (rowid, identifier, name, logical_id)
  VALUES (new.id, new.identifier, new.name, new.logical_id);
END;;
INSERT INTO resources_fts (resources_fts) VALUES ('rebuild');;
