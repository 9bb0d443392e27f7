SELECT l.id, f.processor, f.name, l.line, l.store_id, l.trip_id, l.reconciliation_id, l.amount,
  l.currency, l.date, l.reference
FROM processor_line AS l JOIN processor_file AS f ON f.id = l.file
WHERE l.trip IS NULL AND l.problem IS NULL AND l.is_capture = 1 AND l.id > ?1
ORDER BY l.id LIMIT ?2
