-- How far each schedule's slots were written down (microseconds since 1970).
CREATE TABLE schedules (
  id $text PRIMARY KEY,
  horizon $big NOT NULL
);

-- The run ledger: every slot of every schedule, once.
CREATE TABLE slots (
  schedule $text NOT NULL,
  slot $text NOT NULL,
  due_at $big NOT NULL,
  state $text NOT NULL,
  reason $text NOT NULL,
  task $text NOT NULL,
  created_at $big NOT NULL,
  finished_at $big,
  told_at $big,
  PRIMARY KEY (schedule, slot)
);
CREATE INDEX slots_due ON slots (schedule, due_at);
CREATE INDEX slots_open ON slots (state, due_at);

-- The units of a slot: who works on which, until when, and which fence is the present one.
CREATE TABLE units (
  schedule $text NOT NULL,
  slot $text NOT NULL,
  account $text NOT NULL,
  region $text NOT NULL,
  state $text NOT NULL,
  owner $text NOT NULL,
  fence $big NOT NULL,
  attempts $big NOT NULL,
  due_at $big NOT NULL,
  not_before $big NOT NULL,
  wait $big NOT NULL,
  lease_until $big,
  run_id $text NOT NULL,
  error $text NOT NULL,
  finished_at $big,
  PRIMARY KEY (schedule, slot, account, region),
  FOREIGN KEY (schedule, slot) REFERENCES slots (schedule, slot)
);
CREATE INDEX units_open ON units (state, due_at);
