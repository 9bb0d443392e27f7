INSERT OR IGNORE INTO feed_file (sha256, name, taken_at, counts) VALUES (?1, ?2, ?3, ?4)
