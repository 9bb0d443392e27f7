UPDATE trip_break SET cured_seq = ?3, cured_on = ?4
WHERE trip = ?1 AND kind = ?2 AND cured_seq IS NULL
