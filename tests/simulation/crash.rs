//! Crashes: a process dies at a drawn moment, and the next one finds the disk as it was then.
//!
//! A fuse burns at every look at the clock, on both sides of every commit and of everything the
//! payment service does. At its end the disk is copied as it is, in the middle of a transaction
//! perhaps; whatever the dying process still does (it unwinds, and cleans up behind itself) is
//! done to files that nobody will see again.

use std::fs;
use std::panic::resume_unwind;
use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};

/// What a dying process unwinds with.
pub struct Crash;

/// Burns from step to step; lit anew for every process.
#[derive(Debug)]
pub struct Fuse {
    root: PathBuf,
    steps: AtomicU64,
    dies_at: AtomicU64,
    dead: AtomicBool,
}

impl Fuse {
    pub fn of(root: &Path) -> Self {
        Self {
            root: root.to_owned(),
            steps: AtomicU64::new(0),
            dies_at: AtomicU64::new(u64::MAX),
            dead: AtomicBool::new(false),
        }
    }

    /// A process begins; it dies at this step, counted from 1, if it gets so far.
    pub fn light(&self, dies_at: Option<u64>) {
        self.steps.store(0, Ordering::Relaxed);
        let dies_at = dies_at.unwrap_or(u64::MAX);
        self.dies_at.store(dies_at, Ordering::Relaxed);
        self.dead.store(false, Ordering::Relaxed);
    }

    /// One step further.
    pub fn burn(&self) {
        if !self.is_dead() {
            let step = self.steps.fetch_add(1, Ordering::Relaxed) + 1;
            if step < self.dies_at.load(Ordering::Relaxed) {
                return;
            }
            self.dead.store(true, Ordering::Relaxed);
            copy(&self.root.join("live"), &self.root.join("left"));
        }
        resume_unwind(Box::new(Crash));
    }

    pub fn is_dead(&self) -> bool {
        self.dead.load(Ordering::Relaxed)
    }

    pub fn steps(&self) -> u64 {
        self.steps.load(Ordering::Relaxed)
    }

    /// What the dead process left behind is what there is from now on.
    pub fn bury(&self) {
        if self.is_dead() {
            let live = self.root.join("live");
            fs::remove_dir_all(&live).unwrap();
            fs::rename(self.root.join("left"), live).unwrap();
        }
    }
}

fn copy(from: &Path, to: &Path) {
    fs::create_dir_all(to).unwrap();
    for entry in fs::read_dir(from).unwrap() {
        let entry = entry.unwrap();
        let target = to.join(entry.file_name());
        if entry.file_type().unwrap().is_dir() {
            copy(&entry.path(), &target);
        } else {
            fs::copy(entry.path(), target).unwrap();
        }
    }
}
