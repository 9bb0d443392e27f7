UPDATE trip SET evidenced_at = ?2 WHERE id = ?1
