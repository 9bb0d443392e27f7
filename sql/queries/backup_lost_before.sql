UPDATE meta SET lost_before = ?1 WHERE id = 1
