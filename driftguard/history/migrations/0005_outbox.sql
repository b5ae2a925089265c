-- What is to be told to whom: written in the transaction of the run that it tells of, sent afterwards.
CREATE TABLE outbox (
  id $text PRIMARY KEY,
  channel $text NOT NULL,
  digest $big NOT NULL,
  state $text NOT NULL,
  not_before $big NOT NULL,
  created_at $big NOT NULL,
  lease_until $big,
  attempts $big NOT NULL,
  sent_at $big,
  error $text NOT NULL,
  reference $text NOT NULL,
  message $text NOT NULL
);
CREATE INDEX outbox_open ON outbox (state, not_before);
