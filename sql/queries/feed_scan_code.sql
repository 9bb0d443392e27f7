INSERT OR IGNORE INTO scan_code (sha256, line, store_id, books_date) VALUES (?1, ?2, ?3, ?4)
