SELECT pull.trip, store_id, trip_id, tries FROM pull JOIN trip ON trip.id = pull.trip
WHERE next_at <= ?1 AND pull.trip > ?2 ORDER BY pull.trip LIMIT ?3
