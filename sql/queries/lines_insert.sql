INSERT INTO processor_line (file, line, books_date, store_id, trip_id, reconciliation_id, amount,
  currency, date, reference, kind, is_capture, problem)
VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9, ?10, ?11, ?12, ?13)
