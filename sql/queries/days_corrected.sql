-- The earlier days on which was booked what is corrected on the day: debts that are reversed, and
-- recoveries, write-offs and reversals that are taken back. What only comes of a debt, as
-- recoveries and write-offs do, corrects nothing.
SELECT DISTINCT booked.books_date
FROM journal AS found
JOIN journal AS booked ON booked.trip = found.trip AND booked.step < found.step
  AND booked.kind IN ('lost', 'debt')
WHERE found.books_date = ?1 AND found.seq <= ?2
  AND (found.kind = 'found_captured'
    OR found.kind = 'debt' AND found.verdict IN ('taken_back', 'reversed'))
  AND booked.books_date < ?1
ORDER BY booked.books_date
