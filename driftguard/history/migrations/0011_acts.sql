-- Who made a change of a resource, where CloudTrail named somebody: a person, a deployment, an AWS service.
-- at: the beginning of the version that the change led to; who_id: principal, session and source as JSON.
CREATE TABLE acts (
  resource_id $int NOT NULL REFERENCES resources (id),
  at $big NOT NULL,
  subject $text NOT NULL,
  time $big NOT NULL,
  who_id $int NOT NULL REFERENCES texts (id),
  event $text NOT NULL,
  event_id $text NOT NULL,
  confidence $text NOT NULL,
  PRIMARY KEY (resource_id, at, subject)
)$without_rowid;
