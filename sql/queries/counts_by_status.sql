SELECT status, currency, count(*), sum(cart_total), sum(captured), sum(bad_debt), sum(in_doubt),
  sum(open)
FROM trip GROUP BY status, currency ORDER BY status, currency
