SELECT count(*) FROM trip WHERE status = 'in_doubt' AND ?1 IS NOT NULL
