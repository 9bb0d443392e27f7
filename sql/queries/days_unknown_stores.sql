SELECT store_id FROM unknown_store WHERE books_date = ?1 ORDER BY store_id
