SELECT id, store_id, trip_id, started_at, expires_at, act_by, status, cart_total, currency
FROM trip WHERE act_by IS NOT NULL AND act_by <= ?1 AND (act_by, id) > (?2, ?3)
ORDER BY act_by, id LIMIT ?4
