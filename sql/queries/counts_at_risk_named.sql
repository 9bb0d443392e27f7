SELECT id, store_id, trip_id, open, currency, expires_at, status FROM trip
WHERE act_by IS NOT NULL AND act_by <= ?1 AND open > 0 ORDER BY act_by, id LIMIT ?2
