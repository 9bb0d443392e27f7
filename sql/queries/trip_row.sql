SELECT id FROM trip WHERE store_id = ?1 AND trip_id = ?2
