SELECT store_id, trip_id FROM trip ORDER BY id DESC LIMIT 1
