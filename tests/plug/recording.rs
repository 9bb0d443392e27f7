//! A recording: what a program did to its disk and said to the world, in order.

use std::collections::BTreeMap;
use std::fs;
use std::path::{Path, PathBuf};

use super::boundary::{Boundary, Target, link};
use super::tracer::{Call, Verdict, Watch};

/// A file or folder, whatever it is called.
pub type Node = usize;

/// A name in a folder.
pub type Entry = (Node, String);

/// One thing that was done.
#[derive(Debug, Clone)]
pub enum Op {
    /// A file or folder that has no name yet.
    Made {
        node: Node,
        is_folder: bool,
    },
    Wrote {
        node: Node,
        at: usize,
        bytes: Vec<u8>,
    },
    Cut {
        node: Node,
        length: usize,
    },
    /// Names given and taken, in one step.
    Named(Change),
    /// What the node holds is on the disk: bytes of a file, names of a folder.
    Synced(Node),
    /// The service was sent this.
    Sent(Vec<u8>),
    /// A mail was put in place, or a command told its result: the world knows everything before.
    Told,
}

/// What becomes of names.
#[derive(Debug, Clone, Default)]
pub struct Change {
    pub gone: Option<Entry>,
    pub here: Option<(Entry, Node)>,
}

/// What lay on the disk before.
#[derive(Debug, Clone, Default)]
pub struct Disk {
    /// None for folders.
    pub bytes: Vec<Option<Vec<u8>>>,
    pub names: BTreeMap<Entry, Node>,
}

/// The root folder of every disk.
pub const ROOT: Node = 0;

/// Records what happens below a folder.
pub struct Recorder {
    root: PathBuf,
    pub before: Disk,
    pub ops: Vec<Op>,
    nodes: usize,
    live: BTreeMap<PathBuf, Node>,
    /// Where a plain write will begin, noted on its way in.
    position: usize,
}

impl Recorder {
    pub fn new(root: &Path) -> Self {
        let mut recorder = Self {
            root: root.to_owned(),
            before: Disk::default(),
            ops: Vec::new(),
            nodes: 1,
            live: BTreeMap::from([(root.to_owned(), ROOT)]),
            position: 0,
        };
        recorder.before.bytes.push(None);
        recorder.find(root);
        recorder
    }

    fn find(&mut self, folder: &Path) {
        for entry in fs::read_dir(folder).unwrap() {
            let path = entry.unwrap().path();
            let node = self.node();
            self.before
                .bytes
                .push(path.is_file().then(|| fs::read(&path).unwrap()));
            let entry = self.entry(&path);
            self.before.names.insert(entry, node);
            self.live.insert(path.clone(), node);
            if path.is_dir() {
                self.find(&path);
            }
        }
    }

    fn node(&mut self) -> Node {
        self.nodes += 1;
        self.nodes - 1
    }

    fn entry(&self, path: &Path) -> Entry {
        let name = path.file_name().unwrap().to_str().unwrap();
        (self.live[path.parent().unwrap()], name.to_owned())
    }

    fn appears(&mut self, path: &Path, is_folder: bool) {
        let (node, entry) = (self.node(), self.entry(path));
        self.live.insert(path.to_owned(), node);
        self.ops.push(Op::Made { node, is_folder });
        let here = Some((entry, node));
        self.ops.push(Op::Named(Change { gone: None, here }));
    }

    fn goes(&mut self, path: &Path) {
        let gone = Some(self.entry(path));
        self.live.remove(path);
        self.ops.push(Op::Named(Change { gone, here: None }));
    }

    fn moves(&mut self, from: &Path, to: &Path) {
        let below: Vec<_> = self
            .live
            .keys()
            .filter(|path| path.starts_with(from))
            .collect();
        let below: Vec<PathBuf> = below.into_iter().cloned().collect();
        let gone = Some(self.entry(from));
        let here = Some((self.entry(to), self.live[from]));
        for path in below {
            let node = self.live.remove(&path).unwrap();
            let rest = path.strip_prefix(from).unwrap();
            let place = if path == from {
                to.to_owned()
            } else {
                to.join(rest)
            };
            self.live.insert(place, node);
        }
        self.ops.push(Op::Named(Change { gone, here }));
    }

    fn links(&mut self, from: &Path, to: &Path) {
        let node = self.live[from];
        let here = Some((self.entry(to), node));
        self.live.insert(to.to_owned(), node);
        self.ops.push(Op::Named(Change { gone: None, here }));
    }

    fn file(&mut self, call: &Call, name: &str, path: &Path, result: i64) {
        let known = self.live.get(path).copied();
        let node = known.unwrap_or(usize::MAX);
        let written = usize::try_from(result).unwrap();
        let number = |at: usize| usize::try_from(call.args[at]).unwrap();
        match (name, known) {
            ("openat" | "open", None) => self.appears(path, false),
            ("mkdir" | "mkdirat", None) => self.appears(path, true),
            ("openat" | "open", Some(_)) => {
                let truncates = call.args[2] & u64::try_from(nix::libc::O_TRUNC).unwrap() != 0;
                assert!(!truncates, "{} is truncated by its opening", path.display());
            }
            ("unlink" | "unlinkat" | "rmdir", Some(_)) => self.goes(path),
            ("pwrite64", Some(_)) => {
                let bytes = call.bytes(call.args[1], written);
                self.ops.push(Op::Wrote {
                    node,
                    at: number(3),
                    bytes,
                });
            }
            ("write", Some(_)) => {
                let (at, bytes) = (self.position, call.bytes(call.args[1], written));
                self.ops.push(Op::Wrote { node, at, bytes });
            }
            ("ftruncate", Some(_)) => self.ops.push(Op::Cut {
                node,
                length: number(1),
            }),
            ("fsync" | "fdatasync", Some(_)) => self.ops.push(Op::Synced(node)),
            // Modes and owners are no facts, and what was unlinked is gone whatever is done to it.
            ("fchmod" | "fchown" | "chmod" | "flock", _) | (_, None) => {}
            (other, Some(_)) => panic!("a recording knows no {other}"),
        }
    }

    fn sent(&mut self, call: &Call, name: &str) {
        let bytes = match name {
            "connect" => return,
            "sendto" | "write" => call.bytes(call.args[1], usize::try_from(call.args[2]).unwrap()),
            "writev" => {
                let count = usize::try_from(call.args[2]).unwrap();
                let vectors = call.bytes(call.args[1], count * 16);
                let word = |at: &[u8]| u64::from_ne_bytes(at.try_into().unwrap());
                let pieces = vectors.chunks(16).map(|vector| {
                    let (at, length) = vector.split_at(8);
                    call.bytes(word(at), usize::try_from(word(length)).unwrap())
                });
                pieces.flatten().collect()
            }
            other => panic!("a recording knows no {other}"),
        };
        self.ops.push(Op::Sent(bytes));
    }
}

impl Watch for Recorder {
    /// What is sent counts from its beginning, what is written from its end.
    fn enters(&mut self, call: &Call) -> Verdict {
        match Boundary::of(call) {
            Some(Boundary {
                call: name,
                target: Target::Socket,
            }) => self.sent(call, name),
            Some(Boundary {
                target: Target::Said,
                ..
            }) => self.ops.push(Op::Told),
            Some(Boundary { call: "write", .. }) => {
                let info = link(call, call.args[0]).display().to_string();
                let info = fs::read_to_string(info.replace("/fd/", "/fdinfo/")).unwrap();
                let position = info.lines().next().unwrap().trim_start_matches("pos:");
                self.position = position.trim().parse().unwrap();
            }
            Some(_) | None => {}
        }
        Verdict::Pass
    }

    fn leaves(&mut self, call: &Call, result: i64) {
        let boundary = Boundary::of(call).filter(|_| result >= 0);
        match boundary.map(|boundary| (boundary.call, boundary.target)) {
            Some((name, Target::File(path))) if path.starts_with(&self.root) => {
                self.file(call, name, &path, result);
            }
            Some((name, Target::Name(from, to))) => {
                match name {
                    "rename" | "renameat" | "renameat2" => self.moves(&from, &to),
                    "link" | "linkat" => self.links(&from, &to),
                    other => panic!("a recording knows no {other}"),
                }
                if to.extension().is_some_and(|ending| ending == "eml") {
                    self.ops.push(Op::Told);
                }
            }
            Some((_, Target::File(_) | Target::Socket | Target::Said)) | None => {}
        }
    }
}
