SELECT steps, last_books_date FROM trip WHERE id = ?1
