SELECT totals FROM day_total WHERE books_date = ?1 ORDER BY store_id, currency
