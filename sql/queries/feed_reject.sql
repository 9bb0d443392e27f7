INSERT OR IGNORE INTO rejected (sha256, file, line, field, reason, raw, books_date)
VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7)
