//! What keeps a bad night small.

mod budget;
mod capture;
mod circuit;

pub use budget::RetryBudget;
pub use capture::{BreakerState, CaptureBreaker, CapturePass};
pub use circuit::CircuitBreaker;
