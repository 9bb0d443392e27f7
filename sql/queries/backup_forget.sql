DELETE FROM memo WHERE name = ?1
