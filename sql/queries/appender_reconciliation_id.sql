INSERT OR IGNORE INTO reconciliation_id (reconciliation_id, trip) VALUES (?1, ?2)
