-- A line that found its trip only after event ?2 is still without one.
SELECT f.name, l.line, l.problem, l.amount, l.currency, l.reference, l.books_date,
  CASE WHEN EXISTS (
    SELECT 1 FROM journal WHERE journal.trip = l.trip AND journal.kind = 'line'
      AND seq <= ?2 AND json_extract(detail, '$.line.line_id') = l.id)
  THEN l.matched_on END
FROM processor_line AS l JOIN processor_file AS f ON f.id = l.file
WHERE (l.problem IS NOT NULL AND l.books_date = ?1)
  OR (l.problem IS NULL AND l.is_capture = 1 AND l.books_date <= ?1
    AND (l.trip IS NULL OR (l.matched_on >= ?1 AND l.matched_on > l.books_date)))
ORDER BY f.name, l.line, l.id
