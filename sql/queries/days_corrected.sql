-- The earlier days on which debts were booked that are reversed on the day.
SELECT DISTINCT lost.books_date
FROM journal AS found
JOIN journal AS lost ON lost.trip = found.trip AND lost.step < found.step AND lost.kind = 'lost'
WHERE found.books_date = ?1 AND found.seq <= ?2 AND found.kind = 'found_captured'
  AND lost.books_date < ?1
ORDER BY lost.books_date
