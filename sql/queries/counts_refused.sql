SELECT count(*) FROM trip WHERE status = 'refused'
