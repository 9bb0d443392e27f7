SELECT books_date, edition, last_seq, manifest_sha256, previous_sha256, published FROM close
WHERE published = 0 ORDER BY books_date, edition
