SELECT steps, last_books_date, EXISTS (SELECT 1 FROM pull WHERE pull.trip = trip.id)
FROM trip WHERE id = ?1
