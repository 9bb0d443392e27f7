SELECT counts FROM feed_file WHERE sha256 = ?1
