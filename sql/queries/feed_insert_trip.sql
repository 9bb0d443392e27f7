INSERT INTO trip (store_id, trip_id, currency, started_at, expires_at, status, capture_state,
  version, steps, cart_total, captured, bad_debt, cancelled, in_doubt, open, last_books_date)
VALUES (?1, ?2, ?3, ?4, ?5, 'open', 'none', 0, 0, 0, 0, 0, 0, 0, 0, ?6)
