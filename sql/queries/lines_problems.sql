SELECT f.name, l.line, l.problem, l.amount, l.currency, l.reference, l.books_date, l.matched_on
FROM processor_line AS l JOIN processor_file AS f ON f.id = l.file
WHERE (l.problem IS NOT NULL AND l.books_date = ?1)
  OR (l.problem IS NULL AND l.is_capture = 1 AND l.books_date <= ?1
    AND (l.trip IS NULL OR (l.matched_on >= ?1 AND l.matched_on > l.books_date)))
ORDER BY f.name, l.line, l.id
