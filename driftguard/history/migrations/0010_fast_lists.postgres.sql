INSERT INTO finding_texts (finding_id, text)
SELECT id, LOWER(title || ' ' || identifier || ' ' || COALESCE(logical_id, '') || ' ' || COALESCE(stack, '') || ' ' || subject || ' ' || message)
FROM findings;;

CREATE FUNCTION finding_texts_keep() RETURNS trigger LANGUAGE plpgsql AS '
BEGIN
  IF TG_OP = ''DELETE'' THEN
    DELETE FROM finding_texts WHERE finding_id = OLD.id;
    RETURN OLD;
  END IF;
  INSERT INTO finding_texts (finding_id, text) VALUES (NEW.id, LOWER(NEW.title || '' '' || NEW.identifier || '' '' ||
    COALESCE(NEW.logical_id, '''') || '' '' || COALESCE(NEW.stack, '''') || '' '' || NEW.subject || '' '' || NEW.message))
  ON CONFLICT (finding_id) DO UPDATE SET text = EXCLUDED.text;
  RETURN NEW;
END ';;
CREATE TRIGGER finding_texts_write AFTER INSERT OR DELETE ON findings FOR EACH ROW EXECUTE FUNCTION finding_texts_keep();;
CREATE TRIGGER finding_texts_update AFTER UPDATE ON findings FOR EACH ROW
WHEN ((OLD.title, OLD.identifier, OLD.logical_id, OLD.stack, OLD.subject, OLD.message)
  IS DISTINCT FROM (NEW.title, NEW.identifier, NEW.logical_id, NEW.stack, NEW.subject, NEW.message))
EXECUTE FUNCTION finding_texts_keep();;
