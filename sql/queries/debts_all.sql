SELECT id, store_id, trip_id, currency, status, cart_total, captured, bad_debt, recovered, written_off,
  debt_since,
  (SELECT json_extract(detail, '$.reason') FROM journal
    WHERE journal.trip = trip.id AND kind = 'lost' ORDER BY step DESC LIMIT 1)
FROM trip
WHERE debt_since IS NOT NULL
ORDER BY store_id, trip_id
