UPDATE close SET published = 1 WHERE books_date = ?1 AND edition = ?2
