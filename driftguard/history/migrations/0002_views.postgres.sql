CREATE VIEW present_resources AS
SELECT r.account, r.region, r.type, r.identifier, r.name, r.arn, r.tags, r.stack, r.logical_id,
  to_timestamp(v.valid_from / 1000000.0) AS unchanged_since, v.source
FROM resources r JOIN versions v ON v.resource_id = r.id
WHERE v.valid_to IS NULL AND v.body_id IS NOT NULL;

CREATE VIEW changes AS
SELECT to_timestamp(v.valid_from / 1000000.0) AS at,
  CASE WHEN v.body_id IS NULL THEN 'deleted' ELSE 'changed' END AS change,
  r.account, r.region, r.type, r.identifier, r.stack, r.logical_id, v.source
FROM versions v JOIN resources r ON r.id = v.resource_id WHERE v.quiet = 0;

CREATE VIEW present_drift AS
SELECT d.status, d.stack, d.logical_id, r.account, r.region, r.type, r.identifier,
  to_timestamp(d.first_seen / 1000000.0) AS first_seen, to_timestamp(d.last_seen / 1000000.0) AS last_seen,
  d.document::jsonb -> 'differences' AS differences
FROM drifts d JOIN resources r ON r.id = d.resource_id WHERE d.valid_to IS NULL AND d.drifted = 1;

ALTER TABLE bodies ALTER COLUMN data SET STORAGE EXTERNAL;

-- A change ends one version and begins another: freed space is to be found again within some nights.
ALTER TABLE versions SET (autovacuum_vacuum_scale_factor = 0.02, autovacuum_vacuum_insert_scale_factor = 0.05);
