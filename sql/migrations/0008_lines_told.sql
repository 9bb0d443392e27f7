-- A line that is told again by a cumulative report is looked for by what it says.

CREATE INDEX processor_line_told ON processor_line (reference, date) WHERE reference <> '';
