//! A run: so far its stop flag, its counters and its books date; the lanes are to come.

pub mod books_date;
pub mod stop;
pub mod tally;
