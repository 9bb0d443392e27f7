SELECT
  (SELECT count(*) FROM trip
    WHERE intended IS NOT NULL AND capture_state IN ('initiated', 'evidenced', 'settled')),
  (SELECT count(*) FROM trip
    WHERE intended IS NOT NULL AND capture_state IN ('initiated', 'evidenced', 'settled')
      AND evidenced_at IS NOT NULL),
  (SELECT min(first_at) FROM pull JOIN trip ON trip.id = pull.trip WHERE status <> 'in_doubt'),
  (SELECT min(act_by) FROM trip WHERE act_by IS NOT NULL)
