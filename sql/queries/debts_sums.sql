SELECT store_id, currency, debt_since, count(*), sum(bad_debt - recovered - written_off) FROM trip
WHERE bad_debt - recovered - written_off > 0 AND last_books_date <= ?1
GROUP BY store_id, currency, debt_since
ORDER BY store_id, currency, debt_since
