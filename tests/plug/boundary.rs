//! Boundaries: the system calls that change something outside the program's memory.

use std::fs;
use std::path::{Path, PathBuf};

use nix::libc;

use super::tracer::Call;

/// A call that changes something, and what it changes.
#[derive(Debug, Clone)]
pub struct Boundary {
    pub call: &'static str,
    pub target: Target,
}

/// What is changed.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Target {
    /// A file or folder.
    File(PathBuf),
    /// A file or folder gets a second or another name.
    Name(PathBuf, PathBuf),
    /// A connection.
    Socket,
    /// The program's output or errors.
    Said,
}

/// How a call names what it changes.
#[derive(Debug, Clone, Copy)]
enum By {
    Descriptor,
    Path,
    PathAt,
    TwoPaths,
    TwoPathsAt { second: usize },
    Open { path: usize, flags: usize },
}

const CALLS: &[(i64, &str, By)] = &[
    (libc::SYS_write, "write", By::Descriptor),
    (libc::SYS_pwrite64, "pwrite64", By::Descriptor),
    (libc::SYS_writev, "writev", By::Descriptor),
    (libc::SYS_pwritev, "pwritev", By::Descriptor),
    (libc::SYS_pwritev2, "pwritev2", By::Descriptor),
    (libc::SYS_sendto, "sendto", By::Descriptor),
    (libc::SYS_sendmsg, "sendmsg", By::Descriptor),
    (libc::SYS_sendmmsg, "sendmmsg", By::Descriptor),
    (libc::SYS_sendfile, "sendfile", By::Descriptor),
    (libc::SYS_connect, "connect", By::Descriptor),
    (libc::SYS_fsync, "fsync", By::Descriptor),
    (libc::SYS_fdatasync, "fdatasync", By::Descriptor),
    (libc::SYS_sync_file_range, "sync_file_range", By::Descriptor),
    (libc::SYS_ftruncate, "ftruncate", By::Descriptor),
    (libc::SYS_fallocate, "fallocate", By::Descriptor),
    (libc::SYS_flock, "flock", By::Descriptor),
    (libc::SYS_fchmod, "fchmod", By::Descriptor),
    (libc::SYS_fchown, "fchown", By::Descriptor),
    (libc::SYS_open, "open", By::Open { path: 0, flags: 1 }),
    (libc::SYS_openat, "openat", By::Open { path: 1, flags: 2 }),
    (libc::SYS_creat, "creat", By::Path),
    (libc::SYS_truncate, "truncate", By::Path),
    (libc::SYS_mkdir, "mkdir", By::Path),
    (libc::SYS_mkdirat, "mkdirat", By::PathAt),
    (libc::SYS_rmdir, "rmdir", By::Path),
    (libc::SYS_unlink, "unlink", By::Path),
    (libc::SYS_unlinkat, "unlinkat", By::PathAt),
    (libc::SYS_chmod, "chmod", By::Path),
    (libc::SYS_fchmodat, "fchmodat", By::PathAt),
    (libc::SYS_chown, "chown", By::Path),
    (libc::SYS_utimensat, "utimensat", By::PathAt),
    (libc::SYS_rename, "rename", By::TwoPaths),
    (libc::SYS_renameat, "renameat", By::TwoPathsAt { second: 2 }),
    (
        libc::SYS_renameat2,
        "renameat2",
        By::TwoPathsAt { second: 2 },
    ),
    (libc::SYS_link, "link", By::TwoPaths),
    (libc::SYS_linkat, "linkat", By::TwoPathsAt { second: 2 }),
    (libc::SYS_symlink, "symlink", By::TwoPaths),
];

impl Boundary {
    /// The boundary that a call is; none when it changes nothing that outlives the program.
    pub fn of(call: &Call) -> Option<Self> {
        let (_, name, by) = CALLS.iter().find(|(number, ..)| *number == call.number)?;
        let target = match *by {
            By::Descriptor => at_descriptor(call)?,
            By::Path => Target::File(path(call, None, 0)),
            By::PathAt => Target::File(path(call, Some(0), 1)),
            By::TwoPaths => Target::Name(path(call, None, 0), path(call, None, 1)),
            By::TwoPathsAt { second } => {
                let to = path(call, Some(second), second + 1);
                Target::Name(path(call, Some(0), 1), to)
            }
            By::Open { path: at, flags } => {
                let flags = i32::try_from(call.args[flags] & 0x7fff_ffff).unwrap();
                if flags & (libc::O_CREAT | libc::O_TRUNC) == 0 {
                    return None;
                }
                Target::File(path(call, at.checked_sub(1), at))
            }
        };
        Some(Self { call: name, target })
    }

    /// The same for every night: what is called, and on which kind of file below `root`.
    pub fn label(&self, root: &Path) -> String {
        let what = match &self.target {
            Target::File(path) => kind(path, root),
            Target::Name(from, to) => format!("{} to {}", kind(from, root), kind(to, root)),
            Target::Socket => "the service".to_owned(),
            Target::Said => "the terminal".to_owned(),
        };
        format!("{} {what}", self.call)
    }

    /// True when it is a file or folder of the evening.
    pub fn is_below(&self, root: &Path) -> bool {
        match &self.target {
            Target::File(path) | Target::Name(path, _) => path.starts_with(root),
            Target::Socket | Target::Said => false,
        }
    }
}

fn at_descriptor(call: &Call) -> Option<Target> {
    let descriptor = call.args[0];
    if descriptor == 1 || descriptor == 2 {
        return Some(Target::Said);
    }
    let path = fs::read_link(link(call, descriptor)).ok()?;
    let text = path.to_str().unwrap();
    if text.starts_with("socket:") {
        return Some(Target::Socket);
    }
    // Threads wake each other through what has no place on disk, and what is gone is gone.
    let is_there = text.starts_with('/') && !text.ends_with(" (deleted)");
    is_there.then(|| Target::File(path.clone()))
}

/// The way to an open file of the caller, whatever its name is now.
pub fn link(call: &Call, descriptor: u64) -> PathBuf {
    let descriptor = i32::try_from(descriptor & 0xffff_ffff).unwrap_or(libc::AT_FDCWD);
    match descriptor {
        libc::AT_FDCWD => PathBuf::from(format!("/proc/{}/cwd", call.process)),
        open => PathBuf::from(format!("/proc/{}/fd/{open}", call.process)),
    }
}

fn path(call: &Call, folder: Option<usize>, at: usize) -> PathBuf {
    let text = PathBuf::from(call.text(call.args[at]));
    if text.is_absolute() {
        return text;
    }
    let here = u64::from(libc::AT_FDCWD.cast_unsigned());
    let folder = folder.map_or(here, |folder| call.args[folder]);
    fs::read_link(link(call, folder)).unwrap().join(text)
}

/// A path below `root` without what differs from night to night: numbers and drawn names.
fn kind(path: &Path, root: &Path) -> String {
    let Ok(below) = path.strip_prefix(root) else {
        return "the folders above".to_owned();
    };
    let below = below.to_str().unwrap();
    let mut kind = String::new();
    for part in below.split('/') {
        let part = match part.split_once(".mail-") {
            Some(_) => ".mail-draft".to_owned(),
            None if part.ends_with(".eml") => "mail.eml".to_owned(),
            None => digits_as_one(part),
        };
        kind = format!("{kind}/{part}");
    }
    kind.trim_start_matches('/').to_owned()
}

fn digits_as_one(part: &str) -> String {
    let mut plain = String::new();
    for c in part.chars() {
        match c.is_ascii_digit() {
            true if plain.ends_with('N') => {}
            true => plain.push('N'),
            false => plain.push(c),
        }
    }
    plain
}
