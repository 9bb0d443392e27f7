SELECT id, store_id, trip_id FROM trip
WHERE trip_id = ?2 AND (?1 IS NULL OR store_id = ?1)
ORDER BY store_id LIMIT 20
