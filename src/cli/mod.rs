//! The command line: so far what can be typed, and the logs.

pub mod args;
pub mod logging;
