-- The state that a step left behind: the next step on the same resource starts from it, and a rollback
-- knows whether somebody has changed the resource since.
ALTER TABLE executions ADD COLUMN state_hash $text NOT NULL DEFAULT '';
