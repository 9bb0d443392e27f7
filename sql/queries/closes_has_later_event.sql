SELECT EXISTS (SELECT 1 FROM journal WHERE books_date = ?1 AND seq > ?2)
