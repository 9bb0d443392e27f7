//! Commits, and who is told of them: a test that cuts the power on either side of one.

use std::fmt;
use std::sync::Arc;

use rusqlite::Transaction;

/// A side of a commit.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Side {
    /// Everything is written, nothing is committed.
    Before,
    /// It is on disk, and nobody has been answered yet.
    After,
}

/// Told on both sides of every commit.
#[derive(Clone)]
pub struct Witness(Arc<dyn Fn(Side) + Send + Sync>);

impl Witness {
    /// Whoever wants to be told.
    pub fn of(told: impl Fn(Side) + Send + Sync + 'static) -> Self {
        Self(Arc::new(told))
    }
}

impl fmt::Debug for Witness {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Witness")
    }
}

/// Commits, and tells the witness on both sides.
pub(super) fn commit(
    transaction: Transaction<'_>,
    witness: Option<&Witness>,
) -> rusqlite::Result<()> {
    let tell = |side| witness.iter().for_each(|witness| (witness.0)(side));
    tell(Side::Before);
    transaction.commit()?;
    tell(Side::After);
    Ok(())
}
