-- A reversal may be taken back as well: then the debt stands again.

DROP TRIGGER journal_debts_are_settled_as_they_stand;
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
  SELECT RAISE(ABORT, 'takes back what is no recovery, write-off or reversal')
  WHERE NEW.verdict = 'taken_back' AND NOT EXISTS (
    SELECT 1 FROM journal WHERE trip = NEW.trip AND step = NEW.attempt AND kind = 'debt'
      AND verdict IN ('recovered', 'written_off', 'reversed'));
  SELECT RAISE(ABORT, 'takes back a second time')
  WHERE NEW.verdict = 'taken_back' AND EXISTS (
    SELECT 1 FROM journal WHERE trip = NEW.trip AND attempt = NEW.attempt AND kind = 'debt'
      AND verdict = 'taken_back');
END;
