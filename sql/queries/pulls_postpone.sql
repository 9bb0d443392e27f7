UPDATE pull SET next_at = ?2, tries = tries + 1 WHERE trip = ?1
