INSERT INTO texts (id, digest, value)
SELECT (SELECT COALESCE(MAX(id), 0) FROM texts) + ROW_NUMBER() OVER (ORDER BY value),
  substr(sha256(convert_to(value, 'UTF8')), 1, 16), value
FROM (
  SELECT subject AS value FROM wide_acts UNION SELECT jsonb_build_array(event, confidence)::text FROM wide_acts
  UNION SELECT jsonb_build_array(t.value::jsonb ->> 0, t.value::jsonb ->> 2)::text
  FROM wide_acts w JOIN texts t ON t.id = w.who_id
  UNION SELECT t.value::jsonb ->> 1 FROM wide_acts w JOIN texts t ON t.id = w.who_id
) v WHERE NOT EXISTS (SELECT 1 FROM texts t WHERE t.value = v.value);
-- Materialized: what is no JSON among the texts must not be read as such.
WITH told AS MATERIALIZED (
  SELECT w.*, jsonb_build_array(t.value::jsonb ->> 0, t.value::jsonb ->> 2)::text AS who,
    t.value::jsonb ->> 1 AS session
  FROM wide_acts w JOIN texts t ON t.id = w.who_id
)
INSERT INTO acts (at, time, resource_id, subject_id, who_id, session_id, what_id, event_id)
SELECT w.at, w.time, w.resource_id, s.id, p.id, n.id, t.id, convert_to(w.event_id, 'UTF8') FROM told w
JOIN texts s ON s.value = w.subject JOIN texts p ON p.value = w.who JOIN texts n ON n.value = w.session
JOIN texts t ON t.value = jsonb_build_array(w.event, w.confidence)::text;
DROP TABLE wide_acts;

CREATE VIEW named_changes AS
SELECT to_timestamp(a.time / 1000000.0) AS at,
  w.value::jsonb ->> 0 AS principal, n.value AS session, w.value::jsonb ->> 1 AS source,
  t.value::jsonb ->> 0 AS event, t.value::jsonb ->> 1 AS confidence, s.value AS subject,
  r.account, r.region, r.type, r.identifier, r.stack, r.logical_id
FROM acts a JOIN resources r ON r.id = a.resource_id JOIN texts s ON s.id = a.subject_id
JOIN texts w ON w.id = a.who_id JOIN texts n ON n.id = a.session_id JOIN texts t ON t.id = a.what_id;
