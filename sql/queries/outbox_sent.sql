UPDATE outbox SET sent_at = ?2, body = x'', last_error = NULL WHERE id = ?1
