SELECT min(next_at) FROM pull
