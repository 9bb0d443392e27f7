SELECT books_date, edition, last_seq, manifest_sha256, previous_sha256, published FROM close
WHERE books_date < ?1 ORDER BY books_date DESC, edition DESC LIMIT 1
