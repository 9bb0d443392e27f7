INSERT INTO close (books_date, edition, last_seq, manifest_sha256, previous_sha256, run, at, published)
VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, 0)
