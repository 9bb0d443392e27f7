SELECT seq, trip, step, at, books_date, run, kind, call, attempt, not_executed, verdict, detail,
  previous, hash
FROM journal WHERE seq > ?1 ORDER BY seq
