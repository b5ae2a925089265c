-- A year of acts must not cost more than what they tell of: names that repeat are texts, an event's id its bytes.
-- subject_id: the pointer to what changed; who_id: principal and source;
-- what_id: event and confidence.  A deployment has a session of its own, so that those are texts apart.
ALTER TABLE acts RENAME TO wide_acts;
CREATE TABLE acts (
  at $big NOT NULL,
  time $big NOT NULL,
  resource_id $int NOT NULL REFERENCES resources (id),
  subject_id $int NOT NULL REFERENCES texts (id),
  who_id $int NOT NULL REFERENCES texts (id),
  session_id $int NOT NULL REFERENCES texts (id),
  what_id $int NOT NULL REFERENCES texts (id),
  event_id $blob NOT NULL,
  PRIMARY KEY (resource_id, subject_id, at)
)$without_rowid;
