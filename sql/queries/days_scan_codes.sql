SELECT count(*) FROM scan_code WHERE books_date = ?1
