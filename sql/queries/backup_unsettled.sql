SELECT id FROM trip
WHERE (open > 0 OR act_by IS NOT NULL) AND in_doubt = 0 AND started_at < ?1 AND id > ?2
ORDER BY id LIMIT 500
