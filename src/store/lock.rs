//! The lock: one run at a time, for as long as its process lives.

use std::fs::{File, OpenOptions, TryLockError};
use std::os::unix::fs::OpenOptionsExt;
use std::path::Path;
use std::thread::sleep;
use std::time::{Duration, Instant};

use crate::planted::{self, Bug};

use super::error::StoreError;

/// How often a waiting run tries again.
const EVERY: Duration = Duration::from_millis(50);

/// Held until dropped, or until the process dies in whichever way: the kernel gives it back.
#[derive(Debug)]
pub struct Lock {
    _file: File,
}

impl Lock {
    /// Takes the lock of `state_dir`, waiting at most `wait` for another run to end.
    ///
    /// # Errors
    /// [`StoreError::Busy`] when another run still holds it; disk trouble.
    pub fn acquire(state_dir: &Path, wait: Duration) -> Result<Self, StoreError> {
        super::open::create_dir(state_dir)?;
        let path = state_dir.join("lock");
        let disk = |why: std::io::Error| StoreError::disk(&path, "opened", why);
        let mut options = OpenOptions::new();
        let file = options
            .read(true)
            .write(true)
            .create(true)
            .truncate(false)
            .mode(0o600);
        let file = file.open(&path).map_err(disk)?;
        let begun = Instant::now();
        loop {
            match file.try_lock() {
                Ok(()) if planted::is(Bug::LockReleasedEarly) => {
                    file.unlock().map_err(disk)?;
                    return Ok(Self { _file: file });
                }
                Ok(()) => return Ok(Self { _file: file }),
                Err(TryLockError::Error(why)) => return Err(disk(why)),
                Err(TryLockError::WouldBlock) if begun.elapsed() >= wait => {
                    return Err(StoreError::Busy(path));
                }
                Err(TryLockError::WouldBlock) => sleep(EVERY),
            }
        }
    }
}
