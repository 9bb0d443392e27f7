UPDATE pull SET next_at = min(next_at, ?3)
WHERE trip IN (SELECT trip FROM journal WHERE books_date BETWEEN ?1 AND ?2)
