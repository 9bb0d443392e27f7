//! Planted: deliberate defects, for the proofs that must find each one. Without the feature
//! `planted`, which no default build has, there are none.

/// A deliberate defect.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Bug {
    /// `sync-normal`: a commit is answered before it is forced to disk.
    SyncNormal,
}

/// True when the defect is switched on: by its name in `TRIPSETTLE_PLANTED`.
#[cfg(feature = "planted")]
pub fn is(bug: Bug) -> bool {
    let name = match bug {
        Bug::SyncNormal => "sync-normal",
    };
    std::env::var("TRIPSETTLE_PLANTED").is_ok_and(|wanted| wanted == name)
}

/// Never true.
#[cfg(not(feature = "planted"))]
pub const fn is(_bug: Bug) -> bool {
    false
}
