-- Small documents of the service: hashed tokens, sessions, sign-in links, saved views, idempotent answers.
CREATE TABLE documents (
  kind $text NOT NULL,
  name $text NOT NULL,
  value $text NOT NULL,
  created_at $text NOT NULL,
  expires_at $text,
  PRIMARY KEY (kind, name)
);

-- Pages and lists of the service.
CREATE INDEX findings_new ON findings (first_seen);
CREATE INDEX evaluations_policy ON evaluations (policy, compliance) WHERE valid_to IS NULL;
