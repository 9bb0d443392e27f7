SELECT DISTINCT store_id FROM journal JOIN trip ON trip.id = journal.trip
WHERE books_date = ?1 AND step = 1
