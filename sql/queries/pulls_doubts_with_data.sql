SELECT id FROM trip WHERE status = 'in_doubt' AND evidenced_at IS NOT NULL ORDER BY id
