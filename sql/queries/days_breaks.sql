SELECT store_id, trip_id, detail, opened_on, CASE WHEN cured_seq <= ?2 THEN cured_on END
FROM trip_break
JOIN trip ON trip.id = trip_break.trip
JOIN journal ON journal.seq = opened_seq
WHERE opened_on <= ?1 AND opened_seq <= ?2
  AND (cured_seq IS NULL OR cured_seq > ?2 OR cured_on >= ?1)
ORDER BY store_id, trip_id, trip_break.kind, opened_seq
