SELECT id FROM trip
WHERE id IN (SELECT trip FROM journal WHERE books_date = ?1 AND seq <= ?2)
ORDER BY store_id, trip_id
