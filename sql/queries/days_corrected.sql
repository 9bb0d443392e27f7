-- The earlier days on which was booked what is corrected on the day: debts that are reversed, and
-- recoveries and write-offs that are taken back.
SELECT DISTINCT booked.books_date
FROM journal AS found
JOIN journal AS booked ON booked.trip = found.trip AND booked.step < found.step
  AND booked.kind IN ('lost', 'debt')
WHERE found.books_date = ?1 AND found.seq <= ?2 AND found.kind IN ('found_captured', 'debt')
  AND booked.books_date < ?1
ORDER BY booked.books_date
