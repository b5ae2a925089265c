CREATE VIEW present_resources AS
SELECT r.account, r.region, r.type, r.identifier, r.name, r.arn, r.tags, r.stack, r.logical_id,
  strftime('%Y-%m-%dT%H:%M:%SZ', v.valid_from / 1000000, 'unixepoch') AS unchanged_since, v.source
FROM resources r JOIN versions v ON v.resource_id = r.id
WHERE v.valid_to IS NULL AND v.body_id IS NOT NULL;;

CREATE VIEW changes AS
SELECT strftime('%Y-%m-%dT%H:%M:%SZ', v.valid_from / 1000000, 'unixepoch') AS at,
  CASE WHEN v.body_id IS NULL THEN 'deleted' ELSE 'changed' END AS change,
  r.account, r.region, r.type, r.identifier, r.stack, r.logical_id, v.source
FROM versions v JOIN resources r ON r.id = v.resource_id WHERE v.quiet = 0;;

CREATE VIEW present_drift AS
SELECT d.status, d.stack, d.logical_id, r.account, r.region, r.type, r.identifier,
  strftime('%Y-%m-%dT%H:%M:%SZ', d.first_seen / 1000000, 'unixepoch') AS first_seen,
  strftime('%Y-%m-%dT%H:%M:%SZ', d.last_seen / 1000000, 'unixepoch') AS last_seen,
  json_extract(d.document, '$$.differences') AS differences
FROM drifts d JOIN resources r ON r.id = d.resource_id WHERE d.valid_to IS NULL AND d.drifted = 1;;

CREATE VIRTUAL TABLE resources_fts USING fts5(
  identifier, name, logical_id,
  content='resources', content_rowid='id', tokenize='trigram', detail='none'
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
