UPDATE trip SET debt_since = ?2 WHERE id = ?1
