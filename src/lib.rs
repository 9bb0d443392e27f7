//! tripsettle: see the map below (written out once the rooms stand).
#![cfg_attr(test, allow(clippy::unwrap_used))]

pub mod books;
pub mod cli;
pub mod config;
pub mod domain;
pub mod mail;
pub mod outputs;
pub mod payment_service;
pub mod processor;
pub mod reconcile;
pub mod run;
pub mod sandbox;
pub mod settlement;
pub mod store;
pub mod sweep;
pub mod trips;
