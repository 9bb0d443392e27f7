SELECT count(*)
FROM processor_line AS l JOIN processor_file AS f ON f.id = l.file
WHERE l.reference <> '' AND l.reference = ?1 AND l.date = ?2 AND l.amount = ?3 AND l.currency = ?4
  AND l.store_id IS ?5 AND l.trip_id IS ?6 AND l.reconciliation_id IS ?7
  AND l.kind = ?8 AND l.is_capture = ?9 AND f.processor = ?10 AND l.file <> ?11
