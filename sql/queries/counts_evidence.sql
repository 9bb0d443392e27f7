SELECT count(*), count(evidenced_at), (SELECT coalesce(max(seq), 0) FROM journal)
FROM trip WHERE intended IS NOT NULL AND capture_state IN ('initiated', 'evidenced', 'settled')
