INSERT INTO trip (store_id, trip_id, currency, started_at, expires_at, status, capture_state,
  version, steps, act_by, cart_total, captured, bad_debt, cancelled, in_doubt, open, recovered,
  written_off, intended, last_books_date)
VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9, ?10, ?11, ?12, ?13, ?14, ?15, ?16, ?17, ?18, ?19, ?20)
