SELECT count(*) FROM trip WHERE act_by IS NOT NULL AND act_by <= ?1 AND open > 0
