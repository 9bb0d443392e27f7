INSERT OR IGNORE INTO processor_file (sha256, processor, name, taken_at) VALUES (?1, ?2, ?3, ?4)
