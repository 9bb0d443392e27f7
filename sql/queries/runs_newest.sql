SELECT id, command, started_at, books_date, finished_at, exit_code, report FROM run
ORDER BY id DESC LIMIT ?1
