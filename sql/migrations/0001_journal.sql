-- The journal and what is kept beside it. Instants are milliseconds since 1970 (UTC), amounts are
-- minor units, books dates are YYYY-MM-DD.

CREATE TABLE meta (
  id INTEGER PRIMARY KEY CHECK (id = 1),
  created_at INTEGER NOT NULL,
  -- The state was lost: trips that began before this moment may have been captured already.
  lost_before INTEGER
) STRICT;

-- One row a trip: its name, and where it stands after its last event.
CREATE TABLE trip (
  id INTEGER PRIMARY KEY,
  store_id TEXT NOT NULL,
  trip_id TEXT NOT NULL,
  currency TEXT NOT NULL,
  started_at INTEGER NOT NULL,
  expires_at INTEGER NOT NULL,
  status TEXT NOT NULL,
  capture_state TEXT NOT NULL,
  version INTEGER NOT NULL,
  steps INTEGER NOT NULL,
  act_by INTEGER,
  cart_total INTEGER NOT NULL,
  captured INTEGER NOT NULL,
  bad_debt INTEGER NOT NULL,
  cancelled INTEGER NOT NULL,
  in_doubt INTEGER NOT NULL,
  open INTEGER NOT NULL,
  intended INTEGER,
  -- When its transactional data came.
  evidenced_at INTEGER,
  last_books_date TEXT NOT NULL,
  UNIQUE (store_id, trip_id),
  CHECK (captured + bad_debt + cancelled + in_doubt + open = cart_total)
) STRICT;

CREATE INDEX trip_to_act_on ON trip (act_by, id) WHERE act_by IS NOT NULL;
CREATE INDEX trip_by_trip_id ON trip (trip_id);
CREATE INDEX trip_by_status ON trip (status, expires_at);
CREATE INDEX trip_by_last_books_date ON trip (last_books_date);
CREATE INDEX trip_owing ON trip (store_id, trip_id) WHERE in_doubt + open > 0;

-- Every fact about a trip, in the order in which it was learnt. Never changed, never deleted.
CREATE TABLE journal (
  seq INTEGER PRIMARY KEY,
  trip INTEGER NOT NULL REFERENCES trip (id),
  step INTEGER NOT NULL,
  at INTEGER NOT NULL,
  books_date TEXT NOT NULL,
  run TEXT,
  kind TEXT NOT NULL,
  -- Of an intent: adjust, capture, cancel.
  call TEXT,
  -- Of a reply: the step of its intent, and 1 when it proves that nothing was executed.
  attempt INTEGER,
  not_executed INTEGER,
  -- Of a ruling: captured, not_captured, retry.
  verdict TEXT,
  -- The fact as JSON.
  detail TEXT NOT NULL,
  UNIQUE (trip, step)
) STRICT;

CREATE INDEX journal_by_books_date ON journal (books_date, trip);
CREATE INDEX journal_intents ON journal (trip, call, step) WHERE call IS NOT NULL;

CREATE TRIGGER journal_is_never_changed BEFORE UPDATE ON journal
BEGIN SELECT RAISE(ABORT, 'the journal is append-only: no event is changed'); END;

CREATE TRIGGER journal_is_never_shortened BEFORE DELETE ON journal
BEGIN SELECT RAISE(ABORT, 'the journal is append-only: no event is deleted'); END;

CREATE TRIGGER journal_keeps_order BEFORE INSERT ON journal
BEGIN
  SELECT RAISE(ABORT, 'an event out of order: its step does not follow the last one')
  WHERE NEW.step <> 1 + coalesce((SELECT max(step) FROM journal WHERE trip = NEW.trip), 0);
  SELECT RAISE(ABORT, 'a trip begins with `taken`, and is taken once')
  WHERE (NEW.step = 1) <> (NEW.kind = 'taken');
  SELECT RAISE(ABORT, 'an event on a books date before the trip''s last one')
  WHERE NEW.books_date < (
    SELECT books_date FROM journal WHERE trip = NEW.trip AND step = NEW.step - 1);
  SELECT RAISE(ABORT, 'an event on a books date that is closed')
  WHERE NEW.books_date <= (SELECT max(books_date) FROM close);
END;

CREATE TRIGGER journal_intents_are_of_calls_that_move_money BEFORE INSERT ON journal
WHEN NEW.kind = 'intent'
BEGIN
  SELECT RAISE(ABORT, 'an intent of a call that moves no money')
  WHERE coalesce(NEW.call, '') NOT IN ('adjust', 'capture', 'cancel');
END;

-- The last capture intent must be proved not executed, or ruled not captured, before another one.
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
      SELECT 1 FROM journal WHERE trip = NEW.trip AND kind = 'ruled' AND step > last
        AND verdict = 'not_captured');
END;

CREATE TRIGGER journal_never_captures_what_is_paid BEFORE INSERT ON journal
WHEN NEW.kind = 'intent' AND NEW.call = 'capture'
BEGIN
  SELECT RAISE(ABORT, 'a capture of a trip that is captured, in doubt or cancelled')
  FROM trip
  WHERE id = NEW.trip AND steps = NEW.step - 1
    AND (captured > 0 OR in_doubt > 0 OR cancelled > 0 OR bad_debt > 0);
END;

CREATE TRIGGER journal_never_cancels_a_capture BEFORE INSERT ON journal
WHEN NEW.kind = 'intent' AND NEW.call = 'cancel'
BEGIN
  SELECT RAISE(ABORT, 'a cancel after a capture was intended and not ruled not captured')
  FROM (SELECT max(step) AS last FROM journal WHERE trip = NEW.trip AND call = 'capture')
  WHERE last IS NOT NULL
    AND NOT EXISTS (
      SELECT 1 FROM journal WHERE trip = NEW.trip AND kind = 'ruled' AND step > last
        AND verdict = 'not_captured');
END;

CREATE TRIGGER journal_replies_have_their_intent BEFORE INSERT ON journal
WHEN NEW.kind = 'replied'
BEGIN
  SELECT RAISE(ABORT, 'a reply without its intent')
  WHERE NOT EXISTS (
    SELECT 1 FROM journal WHERE trip = NEW.trip AND step = NEW.attempt AND kind = 'intent');
  SELECT RAISE(ABORT, 'a second reply to one intent')
  WHERE EXISTS (
    SELECT 1 FROM journal WHERE trip = NEW.trip AND kind = 'replied' AND attempt = NEW.attempt);
END;

-- Trip files, each taken once by the hash of its bytes, and what could not be taken of them.
CREATE TABLE feed_file (
  sha256 TEXT PRIMARY KEY,
  name TEXT NOT NULL,
  taken_at INTEGER NOT NULL,
  counts TEXT NOT NULL
) STRICT, WITHOUT ROWID;

CREATE TABLE rejected (
  seq INTEGER PRIMARY KEY,
  sha256 TEXT NOT NULL,
  file TEXT NOT NULL,
  line INTEGER NOT NULL,
  field TEXT,
  reason TEXT NOT NULL,
  raw TEXT NOT NULL,
  books_date TEXT NOT NULL,
  UNIQUE (sha256, line)
) STRICT;

CREATE INDEX rejected_by_books_date ON rejected (books_date, file, line);

CREATE TABLE scan_code (
  sha256 TEXT NOT NULL,
  line INTEGER NOT NULL,
  store_id TEXT NOT NULL,
  books_date TEXT NOT NULL,
  PRIMARY KEY (sha256, line)
) STRICT, WITHOUT ROWID;

CREATE INDEX scan_code_by_books_date ON scan_code (books_date, store_id);

CREATE TABLE unknown_store (
  store_id TEXT PRIMARY KEY,
  books_date TEXT NOT NULL
) STRICT, WITHOUT ROWID;

-- Breaks of trips by when they were opened and cured; the break itself stands in the journal.
CREATE TABLE trip_break (
  opened_seq INTEGER PRIMARY KEY,
  trip INTEGER NOT NULL REFERENCES trip (id),
  kind TEXT NOT NULL,
  opened_on TEXT NOT NULL,
  cured_seq INTEGER,
  cured_on TEXT
) STRICT;

CREATE INDEX trip_break_open ON trip_break (trip, kind) WHERE cured_seq IS NULL;
CREATE INDEX trip_break_by_cure ON trip_break (cured_on, opened_on);

CREATE TABLE reconciliation_id (
  reconciliation_id TEXT NOT NULL,
  trip INTEGER NOT NULL REFERENCES trip (id),
  PRIMARY KEY (reconciliation_id, trip)
) STRICT, WITHOUT ROWID;

CREATE INDEX reconciliation_id_of_trip ON reconciliation_id (trip);

-- Transactional data that is still to be asked for.
CREATE TABLE pull (
  trip INTEGER PRIMARY KEY REFERENCES trip (id),
  first_at INTEGER NOT NULL,
  next_at INTEGER NOT NULL,
  tries INTEGER NOT NULL
) STRICT;

CREATE INDEX pull_by_next ON pull (next_at);

-- Processors' report files and their lines.
CREATE TABLE processor_file (
  id INTEGER PRIMARY KEY,
  sha256 TEXT NOT NULL UNIQUE,
  processor TEXT NOT NULL,
  name TEXT NOT NULL,
  taken_at INTEGER NOT NULL
) STRICT;

CREATE TABLE processor_line (
  id INTEGER PRIMARY KEY,
  file INTEGER NOT NULL REFERENCES processor_file (id),
  line INTEGER NOT NULL,
  books_date TEXT NOT NULL,
  store_id TEXT,
  trip_id TEXT,
  reconciliation_id TEXT,
  amount INTEGER,
  currency TEXT,
  date TEXT,
  reference TEXT NOT NULL,
  kind TEXT NOT NULL,
  is_capture INTEGER NOT NULL,
  -- Why the line could not be read.
  problem TEXT,
  trip INTEGER REFERENCES trip (id),
  matched_on TEXT
) STRICT;

CREATE INDEX processor_line_unmatched ON processor_line (id)
WHERE trip IS NULL AND problem IS NULL AND is_capture = 1;
CREATE INDEX processor_line_problems ON processor_line (books_date, id)
WHERE trip IS NULL OR problem IS NOT NULL;

-- Closed days: one row an edition; what the day adds up to stands once.
CREATE TABLE close (
  books_date TEXT NOT NULL,
  edition INTEGER NOT NULL,
  last_seq INTEGER NOT NULL,
  manifest_sha256 TEXT NOT NULL,
  previous_sha256 TEXT,
  run TEXT NOT NULL,
  at INTEGER NOT NULL,
  published INTEGER NOT NULL,
  PRIMARY KEY (books_date, edition)
) STRICT, WITHOUT ROWID;

CREATE INDEX close_unpublished ON close (books_date, edition) WHERE published = 0;

CREATE TABLE day_total (
  books_date TEXT NOT NULL,
  store_id TEXT NOT NULL,
  currency TEXT NOT NULL,
  totals TEXT NOT NULL,
  PRIMARY KEY (books_date, store_id, currency)
) STRICT, WITHOUT ROWID;

-- Runs, the mails that wait to be delivered, and small facts to remember (a pause, for one).
CREATE TABLE run (
  id TEXT PRIMARY KEY,
  command TEXT NOT NULL,
  started_at INTEGER NOT NULL,
  books_date TEXT NOT NULL,
  finished_at INTEGER,
  exit_code INTEGER,
  report TEXT
) STRICT, WITHOUT ROWID;

CREATE TABLE outbox (
  id INTEGER PRIMARY KEY,
  run TEXT NOT NULL,
  message_id TEXT NOT NULL UNIQUE,
  body BLOB NOT NULL,
  next_at INTEGER NOT NULL,
  tries INTEGER NOT NULL,
  last_error TEXT,
  sent_at INTEGER
) STRICT;

CREATE INDEX outbox_waiting ON outbox (next_at) WHERE sent_at IS NULL;

CREATE TABLE memo (
  name TEXT PRIMARY KEY,
  value TEXT NOT NULL
) STRICT, WITHOUT ROWID;
