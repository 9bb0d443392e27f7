-- Two halves: SQLite seeks a row value in an index by its first column only, and a page among
-- trips of one deadline would read every page before it.
SELECT id, store_id, trip_id, started_at, expires_at, act_by, status, cart_total, currency
FROM trip WHERE act_by = ?2 AND act_by <= ?1 AND id > ?3
UNION ALL
SELECT id, store_id, trip_id, started_at, expires_at, act_by, status, cart_total, currency
FROM trip WHERE act_by > ?2 AND act_by <= ?1
ORDER BY act_by, id LIMIT ?4
