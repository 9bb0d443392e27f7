INSERT OR IGNORE INTO unknown_store (store_id, books_date) VALUES (?1, ?2)
