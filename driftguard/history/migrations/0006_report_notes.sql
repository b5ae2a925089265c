-- What a report says beside findings and gaps: a JSON list of sentences.
ALTER TABLE runs ADD COLUMN notes $text NOT NULL DEFAULT '[]';
