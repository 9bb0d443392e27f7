//! The plug is pulled: the real program is killed, refused by its disk and cut from power at every
//! system call that changes something, and started many times at once. What it then says is
//! compared with the sandbox's own ledger. Figures and commands: `tests/README.md`.
#![allow(clippy::unwrap_used)]

mod night;

mod plug {
    pub mod boundary;
    pub mod crash;
    pub mod evening;
    pub mod full;
    pub mod gate;
    pub mod killed;
    pub mod many;
    pub mod overlap;
    pub mod places;
    pub mod power;
    pub mod recording;
    pub mod refused;
    pub mod told;
    pub mod tracer;
}
