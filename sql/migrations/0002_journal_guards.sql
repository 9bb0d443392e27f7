-- Holes in the guards of the journal.

-- REPLACE deletes without asking the triggers that forbid deleting.
CREATE TRIGGER journal_is_never_overwritten BEFORE INSERT ON journal
BEGIN
  SELECT RAISE(ABORT, 'the journal is append-only: no event is overwritten')
  WHERE EXISTS (SELECT 1 FROM journal WHERE seq = NEW.seq);
END;

-- Before the insert a place that was not given is not known yet.
CREATE TRIGGER journal_grows_at_its_end AFTER INSERT ON journal
BEGIN
  SELECT RAISE(ABORT, 'an event out of order: its place does not follow the last one')
  WHERE NEW.seq < (SELECT max(seq) FROM journal);
END;

-- A reply that came after the ruling knows better than the ruling, for both calls.
DROP TRIGGER journal_never_captures_twice;
CREATE TRIGGER journal_never_captures_twice BEFORE INSERT ON journal
WHEN NEW.kind = 'intent' AND NEW.call = 'capture'
BEGIN
  SELECT RAISE(ABORT, 'a second capture attempt: the one before is not proved undone')
  FROM (SELECT max(step) AS last FROM journal WHERE trip = NEW.trip AND call = 'capture')
  WHERE last IS NOT NULL
    AND NOT EXISTS (
      SELECT 1 FROM journal WHERE trip = NEW.trip AND kind = 'replied' AND attempt = last
        AND not_executed = 1)
    AND NOT EXISTS (
      SELECT 1 FROM journal AS ruling
      WHERE trip = NEW.trip AND kind = 'ruled' AND verdict = 'not_captured' AND step > last
        AND NOT EXISTS (
          SELECT 1 FROM journal WHERE trip = NEW.trip AND kind = 'replied' AND attempt = last
            AND step > ruling.step));
END;

DROP TRIGGER journal_never_cancels_a_capture;
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
END;

-- After a loss of state the capture intent is unknown, and the doubt stands all the same.
CREATE TRIGGER journal_never_cancels_a_doubt BEFORE INSERT ON journal
WHEN NEW.kind = 'intent' AND NEW.call = 'cancel'
BEGIN
  SELECT RAISE(ABORT, 'a cancel after a capture that is in doubt')
  FROM trip
  WHERE id = NEW.trip AND steps = NEW.step - 1 AND in_doubt > 0;
END;
