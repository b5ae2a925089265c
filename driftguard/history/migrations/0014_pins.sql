-- What evidence rests on is kept from retention: pinned runs keep all that they saw.
ALTER TABLE runs ADD COLUMN pinned $small NOT NULL DEFAULT 0;
-- Retention took of what this run saw what had ended before this moment (microseconds since 1970).
ALTER TABLE runs ADD COLUMN forgotten_before $big;
-- What an earlier retention took is known by this: the run gave verdicts, and none is on its list any more.
UPDATE runs SET forgotten_before = 253370764800000000 WHERE trend LIKE '%"compliance":{"%'
AND NOT EXISTS (SELECT 1 FROM run_members m WHERE m.run_seq = runs.seq AND m.kind = 'evaluation');
