DELETE FROM pull WHERE trip = ?1
