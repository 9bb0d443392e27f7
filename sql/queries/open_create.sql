INSERT INTO meta (id, created_at, lost_before) VALUES (1, ?1, ?2)
