-- CROSS: what is awaited is little, and is looked at first; the planner would begin with all trips.
SELECT min(first_at) FROM pull CROSS JOIN trip ON trip.id = pull.trip WHERE status <> 'in_doubt'
