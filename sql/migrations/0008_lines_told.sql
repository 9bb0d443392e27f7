-- A line that is told again by a cumulative report is looked for by what it says: a reference that is
-- a payout's stands in many lines.

CREATE INDEX processor_line_told
ON processor_line (reference, date, trip_id, reconciliation_id, amount) WHERE reference <> '';
