INSERT INTO run (id, command, started_at, books_date) VALUES (?1, ?2, ?3, ?4)
