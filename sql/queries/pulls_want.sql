INSERT OR IGNORE INTO pull (trip, first_at, next_at, tries) VALUES (?1, ?2, ?2, 0)
