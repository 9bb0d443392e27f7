-- The journal as a chain: each event carries a hash over what is stored of it and over the hash
-- before it, so that whoever keeps one hash elsewhere can tell that nothing before it was changed.
--
-- hash = SHA-256 of `previous` (32 bytes; zeros for the first event), followed by the columns
--   seq trip step at books_date run kind call attempt not_executed verdict detail
-- each as <length in bytes, decimal>:<the value as UTF-8 text>, and NULL as ~ alone. An outsider
-- gets the text behind `previous` from the sqlite3 shell with, for each column c,
--   coalesce(length(CAST(c AS BLOB)) || ':' || c, '~')

-- An event that has its hash is never changed; the events of an older state are chained once, by
-- the program, in the transaction of this migration.
DROP TRIGGER journal_is_never_changed;
CREATE TRIGGER journal_is_never_changed BEFORE UPDATE ON journal
WHEN OLD.hash IS NOT NULL
BEGIN SELECT RAISE(ABORT, 'the journal is append-only: no event is changed'); END;

ALTER TABLE journal ADD COLUMN previous BLOB;
ALTER TABLE journal ADD COLUMN hash BLOB;

-- Before the insert a place that was not given is not known yet.
DROP TRIGGER journal_grows_at_its_end;
CREATE TRIGGER journal_grows_at_its_end AFTER INSERT ON journal
BEGIN
  SELECT RAISE(ABORT, 'an event out of order: its place does not follow the last one')
  WHERE NEW.seq < (SELECT max(seq) FROM journal);
  SELECT RAISE(ABORT, 'an event that does not follow the head of the journal')
  WHERE NEW.seq <> 1 + coalesce((SELECT max(seq) FROM journal WHERE seq < NEW.seq), 0)
    OR NEW.previous IS NOT coalesce(
      (SELECT hash FROM journal WHERE seq < NEW.seq ORDER BY seq DESC LIMIT 1), zeroblob(32))
    OR coalesce(length(NEW.hash), 0) <> 32;
END;
