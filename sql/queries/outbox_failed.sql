UPDATE outbox SET tries = tries + 1, last_error = ?2, next_at = ?3 WHERE id = ?1
