UPDATE journal SET previous = ?2, hash = ?3 WHERE seq = ?1
