SELECT min(first_at) FROM pull JOIN trip ON trip.id = pull.trip WHERE status <> 'in_doubt'
