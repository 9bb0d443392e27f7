SELECT id FROM trip
WHERE last_books_date > ?1
  AND EXISTS (SELECT 1 FROM journal WHERE journal.trip = trip.id AND step = 1 AND books_date <= ?1)
ORDER BY store_id, trip_id
