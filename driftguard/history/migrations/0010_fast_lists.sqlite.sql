INSERT INTO finding_texts (finding_id, text)
SELECT id, LOWER(title || ' ' || identifier || ' ' || COALESCE(logical_id, '') || ' ' || COALESCE(stack, '') || ' ' || subject || ' ' || message)
FROM findings;;

CREATE TRIGGER finding_texts_insert AFTER INSERT ON findings BEGIN
  INSERT INTO finding_texts (finding_id, text) VALUES (new.id, LOWER(new.title || ' ' || new.identifier || ' ' ||
    COALESCE(new.logical_id, '') || ' ' || COALESCE(new.stack, '') || ' ' || new.subject || ' ' || new.message));
END;;
CREATE TRIGGER finding_texts_update AFTER UPDATE OF title, identifier, logical_id, stack, subject, message ON findings
WHEN (old.title, old.identifier, old.subject, old.message) IS NOT (new.title, new.identifier, new.subject, new.message)
  OR old.logical_id IS NOT new.logical_id OR old.stack IS NOT new.stack
BEGIN
  UPDATE finding_texts SET text = LOWER(new.title || ' ' || new.identifier || ' ' || COALESCE(new.logical_id, '') ||
    ' ' || COALESCE(new.stack, '') || ' ' || new.subject || ' ' || new.message) WHERE finding_id = new.id;
END;;
CREATE TRIGGER finding_texts_delete AFTER DELETE ON findings BEGIN
  DELETE FROM finding_texts WHERE finding_id = old.id;
END;;
