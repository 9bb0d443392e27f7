SELECT id, store_id, trip_id, currency, started_at, expires_at, status, capture_state, version, steps,
  act_by, cart_total, captured, bad_debt, cancelled, in_doubt, open, recovered, written_off, debt_since,
  intended, evidenced_at, last_books_date
FROM trip ORDER BY id
