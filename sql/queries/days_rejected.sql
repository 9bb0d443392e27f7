SELECT file, line, field, reason, raw FROM rejected WHERE books_date = ?1 ORDER BY file, line, seq
