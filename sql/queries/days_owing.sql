SELECT store_id, trip_id, currency, open, in_doubt, expires_at, act_by, status FROM trip
WHERE in_doubt + open > 0 AND last_books_date <= ?1
ORDER BY store_id, trip_id
