SELECT coalesce(max(step), 0) FROM journal WHERE trip = ?1
