SELECT id FROM trip WHERE trip_id = ?2 AND (?1 IS NULL OR store_id = ?1)
UNION
SELECT trip FROM reconciliation_id WHERE ?2 IS NULL AND reconciliation_id = ?3
LIMIT 2
