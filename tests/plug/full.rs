//! A disk that really fills: small file systems in memory, for each folder that is written to.

use std::fmt;
use std::path::{Path, PathBuf};

use nix::mount::{MntFlags, MsFlags, mount, umount2};

use crate::night::names;

use super::evening::Evening;
use super::many::{Tally, each, one_in};

/// Which folder, and how much there is room for.
#[derive(Debug, Clone)]
struct Small {
    folder: &'static str,
    pages: u64,
    files: u64,
}

impl fmt::Display for Small {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(
            f,
            "{} with {} pages and {} files",
            self.folder, self.pages, self.files
        )
    }
}

/// A small file system over a folder; it goes when it is dropped.
struct Mounted(PathBuf);

impl Mounted {
    fn over(folder: &Path, small: &Small) -> Self {
        std::fs::create_dir_all(folder).unwrap();
        let room = format!("size={},nr_inodes={}", small.pages * 4096, small.files);
        let nothing = MsFlags::empty();
        mount(
            Some("tmpfs"),
            folder,
            Some("tmpfs"),
            nothing,
            Some(room.as_str()),
        )
        .expect("this proof mounts small disks: give it root with CAP_SYS_ADMIN");
        Self(folder.to_owned())
    }

    /// Somebody sees to the disk.
    fn grow(&self) {
        let room = Some("size=64m,nr_inodes=4096");
        let none: Option<&str> = None;
        mount(none, &self.0, none, MsFlags::MS_REMOUNT, room).unwrap();
    }
}

impl Drop for Mounted {
    fn drop(&mut self) {
        umount2(&self.0, MntFlags::MNT_DETACH).unwrap();
    }
}

/// What was met on a small disk.
#[derive(Debug, Default)]
struct Met {
    /// A command found it full.
    full: bool,
    /// A run that could not write down its own end, and its mail came all the same.
    mailed: bool,
}

/// Plays the evening on the small disk.
fn play(small: &Small) -> Met {
    let folder = |root: &Path| root.join(small.folder);
    let mut mounted = None;
    let evening = Evening::begin_on(|root| mounted = Some(Mounted::over(&folder(root), small)));
    let mounted = mounted.unwrap();
    let mut met = Met::default();
    for command in Evening::COMMANDS {
        let ended = evening.night.tripsettle(command);
        let mails = evening.mails().len();
        assert!(mails <= 1, "one run sent {mails} mails");
        match ended.code {
            Some(0 | 10..=12) => {}
            Some(74) => {
                met.full = true;
                met.mailed |= small.folder == "state" && mails == 1;
                let told = format!("{}{}", ended.err, ended.out);
                assert!(told.contains("run again"), "{ended:#?}");
            }
            _ => panic!("a strange end: {ended:#?}"),
        }
    }
    mounted.grow();
    evening.recover();
    evening.testifies(1);
    met
}

#[test]
#[ignore = "mounts small disks; .ci/run plays it where it may"]
fn a_disk_that_fills_loses_nothing() {
    let [tally, full, mailed] = [(); 3].map(|()| Tally::default());
    let mut smalls = Vec::new();
    for (folder, most_pages, least_files, most_files) in [
        ("state", 800, 2, 8),
        ("out", 40, 2, 16),
        ("inbox", 4, 4, 8),
        ("mail", 8, 2, 4),
    ] {
        let step = usize::try_from(if most_pages > 100 { one_in(32) } else { 1 }).unwrap();
        // The two trip files lie on the inbox's disk from the beginning.
        let least_pages = if folder == "inbox" { 2 } else { 1 };
        let by_pages = (least_pages..=most_pages).step_by(step);
        smalls.extend(by_pages.map(|pages| Small {
            folder,
            pages,
            files: 1024,
        }));
        let by_files = least_files..=most_files;
        smalls.extend(by_files.map(|files| Small {
            folder,
            pages: 4096,
            files,
        }));
    }
    each(&smalls, |small| {
        tally.case(&small, || {
            let met = play(&small);
            if met.full {
                full.count();
            }
            if met.mailed {
                mailed.count();
            }
        });
    });
    full.close("commands that found the disk full");
    mailed.close("runs that told by mail what the state could not keep");
    tally.close("small disks");
}

/// A full disk still makes names and empty files.
#[test]
#[ignore = "mounts small disks; .ci/run plays it where it may"]
fn a_disk_that_fills_is_found_by_check() {
    for folder in ["state", "out", "inbox"] {
        let small = Small {
            folder,
            pages: 400,
            files: 1024,
        };
        let evening = Evening::begin();
        evening.night.expect(0, &["init"]);
        let place = evening.night.path(folder);
        let kept = evening.night.path("kept");
        if place.exists() {
            std::fs::rename(&place, &kept).unwrap();
        }
        let mounted = Mounted::over(&place, &small);
        if kept.exists() {
            for name in names(&kept) {
                std::fs::copy(kept.join(&name), place.join(&name)).unwrap();
            }
        }
        evening.night.expect(0, &["check"]);
        let full = std::io::copy(
            &mut std::io::repeat(b'x'),
            &mut std::fs::File::create(place.join(".full")).unwrap(),
        );
        assert_eq!(full.unwrap_err().kind(), std::io::ErrorKind::StorageFull);
        let before = names(&place);
        let told = evening.night.expect(74, &["check"]);
        assert!(told.out.contains("No space left"), "{folder}: {told:#?}");
        assert_eq!(names(&place), before, "{folder}");
        mounted.grow();
        evening.night.expect(0, &["check"]);
        assert_eq!(names(&place), before, "{folder}");
    }
}
