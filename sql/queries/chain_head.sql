SELECT seq, hash FROM journal WHERE seq <= ?1 ORDER BY seq DESC LIMIT 1
