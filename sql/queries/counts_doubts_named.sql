SELECT id, store_id, trip_id, in_doubt, currency, expires_at, status FROM trip
WHERE status = 'in_doubt' AND ?1 IS NOT NULL ORDER BY expires_at, id LIMIT ?2
