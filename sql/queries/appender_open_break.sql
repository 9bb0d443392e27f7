INSERT INTO trip_break (opened_seq, trip, kind, opened_on) VALUES (?1, ?2, ?3, ?4)
