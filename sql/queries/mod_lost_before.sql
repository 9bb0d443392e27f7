SELECT lost_before FROM meta WHERE id = 1
