SELECT value FROM memo WHERE name = ?1
