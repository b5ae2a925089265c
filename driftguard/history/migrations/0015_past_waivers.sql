-- A waiver that is written anew under its id was in force as it was before until then.
CREATE TABLE past_waivers (
  id $text NOT NULL,
  since $text,
  ended_at $text NOT NULL,
  document $text NOT NULL
);
CREATE INDEX past_waivers_id ON past_waivers (id);
-- Since when a waiver holds as it is written, if not since it was made.
ALTER TABLE waivers ADD COLUMN since $text;
