SELECT
  (SELECT min(first) FROM (
    SELECT min(books_date) AS first FROM journal
    UNION ALL SELECT min(books_date) FROM rejected
    UNION ALL SELECT min(books_date) FROM scan_code)),
  -- Days that a lost state published are closed too.
  (SELECT max(last) FROM (
    SELECT max(books_date) AS last FROM close
    UNION ALL SELECT value FROM memo WHERE name = 'lost_days_through'))
