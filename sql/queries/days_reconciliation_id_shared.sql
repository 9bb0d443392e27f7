SELECT store_id, trip_id FROM reconciliation_id AS mine
JOIN reconciliation_id AS theirs USING (reconciliation_id)
JOIN trip ON trip.id = theirs.trip
WHERE mine.trip = ?1 AND theirs.trip <> ?1
ORDER BY store_id, trip_id LIMIT 1
