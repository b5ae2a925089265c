-- Runs: one row per scan.
CREATE TABLE runs (
  seq $big PRIMARY KEY,
  id $text NOT NULL UNIQUE,
  status $text NOT NULL,
  outcome $text,
  started_at $text NOT NULL,
  finished_at $text,
  taken_at $big,
  started_by $text NOT NULL,
  tool_version $text NOT NULL,
  policy_version $text NOT NULL,
  error $text NOT NULL,
  scope $text NOT NULL,
  coverage $text NOT NULL,
  managed $big NOT NULL DEFAULT 0,
  unmanaged $big NOT NULL DEFAULT 0,
  trend $text
);

-- What a run saw: packed ids of drifts, evaluations, findings, gaps, stacks and policies.
CREATE TABLE run_members (
  run_seq $big NOT NULL REFERENCES runs (seq),
  kind $text NOT NULL,
  ids $blob NOT NULL,
  PRIMARY KEY (run_seq, kind)
);

-- Resources: one row per identity, with what was last known of it.
CREATE TABLE resources (
  id $int PRIMARY KEY,
  partition $text NOT NULL,
  account $text NOT NULL,
  region $text NOT NULL,
  type $text NOT NULL,
  identifier $text NOT NULL,
  arn $text,
  name $text,
  tags $text NOT NULL DEFAULT '{}',
  created_at $text,
  stack $text NOT NULL DEFAULT '',
  logical_id $text NOT NULL DEFAULT '',
  physical_id $text NOT NULL DEFAULT '',
  present $big NOT NULL DEFAULT 0
);
CREATE UNIQUE INDEX resources_key ON resources (account, type, identifier, region, partition);

-- States: content-addressed, compressed, each stored once.
CREATE TABLE dictionaries (
  id $big PRIMARY KEY,
  data $blob NOT NULL
);
CREATE TABLE bodies (
  id $int PRIMARY KEY,
  base_id $int REFERENCES bodies (id),
  dictionary_id $small NOT NULL,
  hash $blob NOT NULL,
  data $blob NOT NULL
);
CREATE INDEX bodies_hash ON bodies (substr(hash, 1, 9));

-- Repeated small texts: coverage sets and the like.
CREATE TABLE texts (
  id $int PRIMARY KEY,
  digest $blob NOT NULL UNIQUE,
  value $text NOT NULL
);

-- Versions: a resource had this state from valid_from until valid_to (microseconds since 1970).
-- quiet: the same state as the version before, seen again by AWS Config with a time of its own.
CREATE TABLE versions (
  resource_id $int NOT NULL REFERENCES resources (id),
  body_id $int REFERENCES bodies (id),
  valid_from $big NOT NULL,
  valid_to $big,
  captured_at $big,
  coverage_id $int REFERENCES texts (id),
  quiet $small NOT NULL DEFAULT 0,
  pinned $small NOT NULL DEFAULT 0,
  source $text NOT NULL,
  state_id $text,
  PRIMARY KEY (resource_id, valid_from)
)$without_rowid;

-- The accepted live state of a resource.
CREATE TABLE witnesses (
  resource_id $big PRIMARY KEY REFERENCES resources (id),
  body_id $big NOT NULL REFERENCES bodies (id),
  accepted_at $text NOT NULL,
  actor $text NOT NULL,
  reason $text NOT NULL
);

-- Drifts: the verdict on a resource, valid from one run until another.
CREATE TABLE drifts (
  id $big PRIMARY KEY,
  resource_id $big NOT NULL REFERENCES resources (id),
  stack_id $text NOT NULL,
  stack $text NOT NULL,
  logical_id $text NOT NULL,
  status $text NOT NULL,
  drifted $big NOT NULL,
  valid_from $big NOT NULL,
  valid_to $big,
  first_seen $big,
  last_seen $big,
  digest $blob NOT NULL,
  document $text NOT NULL
);
CREATE INDEX drifts_resource ON drifts (resource_id);
CREATE INDEX drifts_drifted ON drifts (status) WHERE drifted = 1;

-- Evaluations: the verdict of a policy on a resource, valid from one run until another.
CREATE TABLE evaluations (
  id $big PRIMARY KEY,
  resource_id $big NOT NULL REFERENCES resources (id),
  policy $text NOT NULL,
  judge $text NOT NULL,
  compliance $text NOT NULL,
  severity $text NOT NULL,
  valid_from $big NOT NULL,
  valid_to $big,
  document_id $big REFERENCES texts (id)
);
CREATE INDEX evaluations_resource ON evaluations (resource_id);

-- Findings: opened once, and what became of them.
CREATE TABLE findings (
  id $big PRIMARY KEY,
  fingerprint $text NOT NULL UNIQUE,
  kind $text NOT NULL,
  partition $text NOT NULL,
  account $text NOT NULL,
  region $text NOT NULL,
  type $text NOT NULL,
  identifier $text NOT NULL,
  subject $text NOT NULL,
  severity $text NOT NULL,
  severity_rank $big NOT NULL,
  status $text NOT NULL,
  title $text NOT NULL,
  message $text NOT NULL,
  stack $text NOT NULL,
  logical_id $text NOT NULL,
  first_seen $text NOT NULL,
  last_seen $text NOT NULL,
  resolved_at $text,
  occurrences $big NOT NULL,
  flapping $big NOT NULL,
  waiver $text,
  cause $text,
  changed_by $text,
  document $text NOT NULL
);
CREATE INDEX findings_status ON findings (status, severity_rank);

-- A finding as it was after a run that changed it.
CREATE TABLE finding_versions (
  finding_id $big NOT NULL REFERENCES findings (id),
  run_seq $big NOT NULL,
  at $text NOT NULL,
  status $text NOT NULL,
  document $text NOT NULL,
  PRIMARY KEY (finding_id, run_seq)
);

CREATE TABLE gaps (
  id $big PRIMARY KEY,
  reason $text NOT NULL,
  account $text NOT NULL,
  region $text NOT NULL,
  type $text,
  identifier $text,
  stack $text,
  path $text,
  action $text,
  detail $text NOT NULL,
  digest $blob NOT NULL UNIQUE
);

CREATE TABLE policies (
  id $big PRIMARY KEY,
  policy $text NOT NULL,
  title $text NOT NULL,
  severity $text NOT NULL,
  document $text NOT NULL,
  digest $blob NOT NULL UNIQUE
);

CREATE TABLE stacks (
  id $big PRIMARY KEY,
  account $text NOT NULL,
  region $text NOT NULL,
  name $text NOT NULL,
  stack_id $text NOT NULL,
  status $text NOT NULL,
  drift_status $text NOT NULL,
  resources $big NOT NULL,
  valid_from $big NOT NULL,
  valid_to $big,
  digest $blob NOT NULL,
  document $text NOT NULL
);
CREATE INDEX stacks_key ON stacks (account, region, stack_id);

CREATE TABLE waivers (
  id $text PRIMARY KEY,
  reason $text NOT NULL,
  owner $text NOT NULL,
  approver $text NOT NULL,
  created_at $text,
  expires_at $text NOT NULL,
  removed_at $text,
  document $text NOT NULL
);

CREATE TABLE plans (
  id $text PRIMARY KEY,
  author $text NOT NULL,
  created_at $text NOT NULL,
  expires_at $text NOT NULL,
  digest $text NOT NULL,
  steps $big NOT NULL,
  document $text NOT NULL
);
CREATE TABLE approvals (
  plan_id $text NOT NULL REFERENCES plans (id),
  approver $text NOT NULL,
  at $text NOT NULL,
  reason $text NOT NULL,
  digest $text NOT NULL,
  ticket $text NOT NULL,
  PRIMARY KEY (plan_id, approver)
);
CREATE TABLE executions (
  token $text PRIMARY KEY,
  plan_id $text NOT NULL,
  step $text NOT NULL,
  status $text NOT NULL,
  started_at $text,
  finished_at $text,
  execution_id $text NOT NULL,
  detail $text NOT NULL,
  ordinal $big NOT NULL
);
CREATE INDEX executions_plan ON executions (plan_id);

-- What people attested: a control that no machine can judge.
CREATE TABLE attestations (
  id $text PRIMARY KEY,
  framework $text NOT NULL,
  control $text NOT NULL,
  actor $text NOT NULL,
  at $text NOT NULL,
  expires_at $text,
  statement $text NOT NULL,
  reference $text NOT NULL
);

-- The audit log: each digest covers the entry and the digest before it.
CREATE TABLE audit (
  seq $big PRIMARY KEY,
  at $text NOT NULL,
  actor $text NOT NULL,
  action $text NOT NULL,
  subject $text NOT NULL,
  detail $text NOT NULL,
  digest $text NOT NULL
);
