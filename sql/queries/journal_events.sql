SELECT seq, step, at, books_date, run, detail FROM journal
WHERE trip = ?1 AND seq <= ?2 ORDER BY step
