-- Nor is the hold of a trip released whose money is taken: a person may have said of a capture first
-- that it never was, and then that it was.

DROP TRIGGER journal_never_cancels_a_capture;
-- After a loss of state the capture intent is unknown, and the doubt stands all the same.
CREATE TRIGGER journal_never_cancels_a_capture BEFORE INSERT ON journal
WHEN NEW.kind = 'intent' AND NEW.call = 'cancel'
BEGIN
  SELECT RAISE(ABORT, 'a cancel after a capture was intended and not ruled not captured')
  FROM (SELECT max(step) AS last FROM journal WHERE trip = NEW.trip AND call = 'capture')
  WHERE last IS NOT NULL
    AND NOT EXISTS (
      SELECT 1 FROM journal AS ruling
      WHERE trip = NEW.trip AND kind = 'ruled' AND verdict = 'not_captured' AND step > last
        AND NOT EXISTS (
          SELECT 1 FROM journal WHERE trip = NEW.trip AND kind = 'replied' AND attempt = last
            AND step > ruling.step));
  SELECT RAISE(ABORT, 'a cancel after a capture that is in doubt or stands')
  FROM trip
  WHERE id = NEW.trip AND steps = NEW.step - 1 AND (in_doubt > 0 OR captured > 0);
END;
