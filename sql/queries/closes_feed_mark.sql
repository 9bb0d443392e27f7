SELECT (SELECT count(*) FROM rejected WHERE books_date = ?1)
  + (SELECT count(*) FROM scan_code WHERE books_date = ?1)
  + (SELECT count(*) FROM unknown_store WHERE books_date = ?1)
