SELECT id FROM trip
WHERE id IN (
  SELECT trip FROM journal WHERE books_date BETWEEN ?3 AND ?1 AND seq <= ?2
  UNION SELECT trip FROM pull
  UNION SELECT trip FROM trip_break WHERE cured_seq IS NULL
  UNION SELECT id FROM trip WHERE status IN ('in_doubt', 'refused'))
ORDER BY store_id, trip_id
