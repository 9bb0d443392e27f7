//! Simulated nights: the real engine on a real database, driven by a seed on a virtual clock
//! against a payment service with a ledger of its own; after every night the two are compared.
//!
//! [`simulate`] plays one seed. What goes wrong, and when, follows from the seed alone.
#![allow(dead_code, clippy::unwrap_used)]

pub mod chance;
pub mod checks;
pub mod clock;
pub mod crash;
pub mod debts;
pub mod journal;
pub mod ledger;
pub mod log;
pub mod nights;
pub mod plan;
pub mod postings;
pub mod published;
pub mod retailer;
pub mod service;
pub mod swarm;
pub mod weather;
pub mod witness;
pub mod world;

#[allow(unused_imports)]
pub use nights::{Report, Violation, simulate, simulate_with, tell};
#[allow(unused_imports)]
pub use swarm::{nights_of, swarm};
