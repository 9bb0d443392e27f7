UPDATE processor_line SET trip = ?2, matched_on = ?3 WHERE id = ?1 AND trip IS NULL
