-- Bad debt after it was booked. Of a trip's bad debt, `recovered` came later and `written_off` was
-- given up; the rest is the open debt, booked on `debt_since`.
--
-- A `debt` event has its act in `verdict` (recovered, written_off, taken_back, reversed) and, when
-- it takes something back, the step of that in `attempt`.

ALTER TABLE trip ADD COLUMN recovered INTEGER NOT NULL DEFAULT 0 CHECK (recovered >= 0);
ALTER TABLE trip ADD COLUMN written_off INTEGER NOT NULL DEFAULT 0
  CHECK (written_off >= 0 AND recovered + written_off <= bad_debt);
ALTER TABLE trip ADD COLUMN debt_since TEXT;

UPDATE trip SET debt_since = (
  SELECT max(books_date) FROM journal
  WHERE journal.trip = trip.id AND kind = 'lost' AND json_extract(detail, '$.amount.minor') > 0)
WHERE id IN (SELECT trip FROM journal WHERE kind = 'lost');

CREATE INDEX trip_indebted ON trip (store_id, trip_id)
WHERE bad_debt - recovered - written_off > 0;

CREATE TRIGGER journal_debts_are_settled_as_they_stand BEFORE INSERT ON journal
WHEN NEW.kind = 'debt'
BEGIN
  SELECT RAISE(ABORT, 'a debt event of an unknown act')
  WHERE coalesce(NEW.verdict, '') NOT IN ('recovered', 'written_off', 'taken_back', 'reversed');
  SELECT RAISE(ABORT, 'a debt event without an amount above zero')
  WHERE NEW.verdict <> 'taken_back'
    AND coalesce(json_extract(NEW.detail, '$.ruling.act.amount.minor'), 0) <= 0;
  SELECT RAISE(ABORT, 'a debt event without a name or a reason')
  WHERE trim(coalesce(json_extract(NEW.detail, '$.ruling.by'), '')) = ''
    OR trim(coalesce(json_extract(NEW.detail, '$.ruling.note'), '')) = '';
  SELECT RAISE(ABORT, 'takes back what is no recovery or write-off')
  WHERE NEW.verdict = 'taken_back' AND NOT EXISTS (
    SELECT 1 FROM journal WHERE trip = NEW.trip AND step = NEW.attempt AND kind = 'debt'
      AND verdict IN ('recovered', 'written_off'));
  SELECT RAISE(ABORT, 'takes back a second time')
  WHERE NEW.verdict = 'taken_back' AND EXISTS (
    SELECT 1 FROM journal WHERE trip = NEW.trip AND attempt = NEW.attempt AND kind = 'debt'
      AND verdict = 'taken_back');
END;

-- Everything that was ever said of the trip's debt, added up from the events alone.
CREATE TRIGGER journal_debt_is_never_below_zero AFTER INSERT ON journal
WHEN NEW.kind IN ('debt', 'found_captured')
BEGIN
  SELECT RAISE(ABORT, 'more is taken from a bad debt than stands open')
  WHERE 0 > (
    SELECT sum(CASE
      WHEN kind = 'lost' THEN json_extract(detail, '$.amount.minor')
      WHEN kind = 'found_captured' THEN -json_extract(detail, '$.amount.minor')
      WHEN verdict <> 'taken_back' THEN -json_extract(detail, '$.ruling.act.amount.minor')
      ELSE (
        SELECT json_extract(done.detail, '$.ruling.act.amount.minor') FROM journal AS done
        WHERE done.trip = event.trip AND done.step = event.attempt)
      END)
    FROM journal AS event
    WHERE trip = NEW.trip AND kind IN ('lost', 'found_captured', 'debt'));
END;
