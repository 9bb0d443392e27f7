-- The same refusals in fewer triggers: each one costs every event that is inserted, whether or not
-- it has anything to say of it.

DROP TRIGGER journal_keeps_order;
DROP TRIGGER journal_is_never_overwritten;
DROP TRIGGER journal_grows_at_its_end;
DROP TRIGGER journal_intents_are_of_calls_that_move_money;
CREATE TRIGGER journal_keeps_order BEFORE INSERT ON journal
BEGIN
  -- Beside a maximum SQLite takes the other columns from its row.
  SELECT CASE
    WHEN NEW.step <> 1 + coalesce(max(step), 0)
    THEN RAISE(ABORT, 'an event out of order: its step does not follow the last one')
    WHEN (NEW.step = 1) <> (NEW.kind = 'taken')
    THEN RAISE(ABORT, 'a trip begins with `taken`, and is taken once')
    WHEN NEW.books_date < books_date
    THEN RAISE(ABORT, 'an event on a books date before the trip''s last one')
    WHEN NEW.books_date <= (SELECT max(books_date) FROM close)
    THEN RAISE(ABORT, 'an event on a books date that is closed')
    -- REPLACE deletes without asking the triggers that forbid deleting.
    WHEN EXISTS (SELECT 1 FROM journal WHERE seq = NEW.seq)
    THEN RAISE(ABORT, 'the journal is append-only: no event is overwritten')
    WHEN NEW.kind = 'intent' AND coalesce(NEW.call, '') NOT IN ('adjust', 'capture', 'cancel')
    THEN RAISE(ABORT, 'an intent of a call that moves no money')
  END
  FROM journal WHERE trip = NEW.trip;
END;

-- Before the insert a place that was not given is not known yet.
CREATE TRIGGER journal_grows_at_its_end AFTER INSERT ON journal
BEGIN
  SELECT CASE
    WHEN NEW.seq < (SELECT max(seq) FROM journal)
    THEN RAISE(ABORT, 'an event out of order: its place does not follow the last one')
    WHEN NEW.seq <> 1 + coalesce(max(seq), 0)
      OR NEW.previous IS NOT coalesce(hash, zeroblob(32))
      OR coalesce(length(NEW.hash), 0) <> 32
    THEN RAISE(ABORT, 'an event that does not follow the head of the journal')
  END
  FROM journal WHERE seq < NEW.seq;
END;

DROP TRIGGER journal_never_captures_twice;
DROP TRIGGER journal_never_captures_what_is_paid;
-- A reply that came after the ruling knows better than the ruling.
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
  SELECT RAISE(ABORT, 'a capture of a trip that is captured, in doubt or cancelled')
  FROM trip
  WHERE id = NEW.trip AND steps = NEW.step - 1
    AND (captured > 0 OR in_doubt > 0 OR cancelled > 0 OR bad_debt > 0);
END;

DROP TRIGGER journal_never_cancels_a_capture;
DROP TRIGGER journal_never_cancels_a_doubt;
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
  SELECT RAISE(ABORT, 'a cancel after a capture that is in doubt')
  FROM trip
  WHERE id = NEW.trip AND steps = NEW.step - 1 AND in_doubt > 0;
END;
