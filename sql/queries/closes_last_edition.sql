SELECT coalesce(max(edition), 0) FROM close WHERE books_date = ?1
