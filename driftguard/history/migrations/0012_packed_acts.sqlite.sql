INSERT INTO texts (id, digest, value)
SELECT (SELECT COALESCE(MAX(id), 0) FROM texts) + ROW_NUMBER() OVER (ORDER BY value), text_digest(value), value
FROM (
  SELECT subject AS value FROM wide_acts UNION SELECT json_array(event, confidence) FROM wide_acts
  UNION SELECT json_array(json_extract(t.value, '$$[0]'), json_extract(t.value, '$$[2]'))
  FROM wide_acts w JOIN texts t ON t.id = w.who_id
  UNION SELECT json_extract(t.value, '$$[1]') FROM wide_acts w JOIN texts t ON t.id = w.who_id
) WHERE value NOT IN (SELECT value FROM texts);
-- Materialized: what is no JSON among the texts must not be read as such.
WITH told AS MATERIALIZED (
  SELECT w.*, json_array(json_extract(t.value, '$$[0]'), json_extract(t.value, '$$[2]')) AS who,
    json_extract(t.value, '$$[1]') AS session
  FROM wide_acts w JOIN texts t ON t.id = w.who_id
)
INSERT INTO acts (at, time, resource_id, subject_id, who_id, session_id, what_id, event_id)
SELECT w.at, w.time, w.resource_id, s.id, p.id, n.id, t.id, CAST(w.event_id AS BLOB) FROM told w
JOIN texts s ON s.value = w.subject JOIN texts p ON p.value = w.who JOIN texts n ON n.value = w.session
JOIN texts t ON t.value = json_array(w.event, w.confidence);
DROP TABLE wide_acts;

CREATE VIEW named_changes AS
SELECT strftime('%Y-%m-%dT%H:%M:%SZ', a.time / 1000000, 'unixepoch') AS at,
  json_extract(w.value, '$$[0]') AS principal, n.value AS session, json_extract(w.value, '$$[1]') AS source,
  json_extract(t.value, '$$[0]') AS event, json_extract(t.value, '$$[1]') AS confidence, s.value AS subject,
  r.account, r.region, r.type, r.identifier, r.stack, r.logical_id
FROM acts a JOIN resources r ON r.id = a.resource_id JOIN texts s ON s.id = a.subject_id
JOIN texts w ON w.id = a.who_id JOIN texts n ON n.id = a.session_id JOIN texts t ON t.id = a.what_id;
