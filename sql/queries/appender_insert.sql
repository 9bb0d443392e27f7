INSERT INTO journal (seq, trip, step, at, books_date, run, kind, call, attempt, not_executed, verdict,
  detail, previous, hash)
VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9, ?10, ?11, ?12, ?13, ?14)
