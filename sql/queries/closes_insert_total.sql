INSERT INTO day_total (books_date, store_id, currency, totals) VALUES (?1, ?2, ?3, ?4)
