INSERT OR IGNORE INTO outbox (run, message_id, body, next_at, tries) VALUES (?1, ?2, ?3, ?4, 0)
