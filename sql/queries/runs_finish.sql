UPDATE run SET finished_at = ?2, exit_code = ?3, report = ?4 WHERE id = ?1
