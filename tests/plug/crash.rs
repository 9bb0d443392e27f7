//! A power cut: of what was not forced to disk some is there, some is not, and some is torn.
//!
//! The model is harsher than any file system in use: a file that was forced to disk is found only
//! if its name was, too; bytes reach the disk in any order, in sectors of 512.

use std::collections::BTreeMap;
use std::fs;
use std::mem;
use std::path::Path;

use super::many::Draw;
use super::recording::{Change, Disk, Entry, Node, Op, ROOT};

const SECTOR: usize = 512;

/// A disk and what waits to reach it.
#[derive(Debug, Clone)]
pub struct Cache {
    disk: Disk,
    bytes: BTreeMap<Node, Vec<Op>>,
    names: Vec<Change>,
}

/// What reaches the disk in the last moment.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Luck {
    Nothing,
    /// Names in the order in which they were given, up to some point; any of the bytes.
    InOrder,
    /// Any of the names and any of the bytes.
    Any,
}

impl Cache {
    pub fn over(disk: Disk) -> Self {
        Self {
            disk,
            bytes: BTreeMap::new(),
            names: Vec::new(),
        }
    }

    pub fn apply(&mut self, op: &Op) {
        match op {
            Op::Wrote { node, .. } | Op::Cut { node, .. } => {
                self.bytes.entry(*node).or_default().push(op.clone());
            }
            Op::Made { node, is_folder } => {
                assert_eq!(*node, self.disk.bytes.len());
                self.disk.bytes.push((!is_folder).then(Vec::new));
            }
            Op::Named(change) => self.names.push(change.clone()),
            Op::Synced(node) => self.sync(*node),
            Op::Sent(_) | Op::Told => {}
        }
    }

    fn sync(&mut self, node: Node) {
        for op in self.bytes.remove(&node).unwrap_or_default() {
            reach(&mut self.disk, &op, |_| true);
        }
        let touches = |change: &Change| {
            let gone = change.gone.iter().map(|(folder, _)| *folder);
            gone.chain(change.here.iter().map(|((folder, _), _)| *folder))
                .any(|at| at == node)
        };
        let (now, later): (Vec<_>, Vec<_>) =
            mem::take(&mut self.names).into_iter().partition(touches);
        self.names = later;
        for change in now {
            name(&mut self.disk, &change);
            // A name that is gone for good is not given again by what waits from before.
            let is_old = |waits: &Change| {
                waits.gone.is_none()
                    && waits.here.as_ref().map(|(at, _)| at) == change.gone.as_ref()
            };
            self.names.retain(|waits| !is_old(waits));
        }
    }

    /// The disk after a power cut now.
    pub fn cut(&self, luck: Luck, draw: &mut Draw) -> Disk {
        let mut disk = self.disk.clone();
        let (likely, until) = (draw.below(101), draw.below(self.names.len() as u64 + 1));
        let happens = |draw: &mut Draw| match luck {
            Luck::Nothing => false,
            Luck::InOrder | Luck::Any => draw.below(100) < likely,
        };
        for (place, change) in self.names.iter().enumerate() {
            let is_named = match luck {
                Luck::InOrder => (place as u64) < until,
                Luck::Nothing | Luck::Any => happens(draw),
            };
            if is_named {
                name(&mut disk, change);
            }
        }
        for op in self.bytes.values().flatten() {
            // Most writes come whole or not at all; some are torn.
            match draw.below(4) {
                0 => reach(&mut disk, op, |_| happens(draw)),
                _ if happens(draw) => reach(&mut disk, op, |_| true),
                _ => {}
            }
        }
        disk
    }
}

/// Gives and takes names. A rename brings its file along also when the first name never came.
fn name(disk: &mut Disk, change: &Change) {
    if let Some(entry) = &change.gone {
        disk.names.remove(entry);
    }
    if let Some((entry, node)) = &change.here {
        disk.names.insert(entry.clone(), *node);
    }
}

/// Bytes reach the disk, sector by sector.
fn reach(disk: &mut Disk, op: &Op, mut takes: impl FnMut(usize) -> bool) {
    match op {
        Op::Wrote { node, at, bytes } => {
            let file = disk.bytes[*node].as_mut().unwrap();
            let (mut from, end) = (*at, at + bytes.len());
            while from < end {
                let to = end.min((from / SECTOR + 1) * SECTOR);
                if takes(from) {
                    file.resize(file.len().max(to), 0);
                    file[from..to].copy_from_slice(&bytes[from - at..to - at]);
                }
                from = to;
            }
        }
        Op::Cut { node, length } if takes(*length) => {
            disk.bytes[*node].as_mut().unwrap().resize(*length, 0);
        }
        Op::Cut { .. }
        | Op::Made { .. }
        | Op::Named(_)
        | Op::Synced(_)
        | Op::Sent(_)
        | Op::Told => {}
    }
}

/// Makes the disk's files and folders below `root`.
pub fn lay_out(disk: &Disk, root: &Path) {
    lay_out_folder(disk, ROOT, root);
}

fn lay_out_folder(disk: &Disk, folder: Node, path: &Path) {
    let first: Entry = (folder, String::new());
    let inside = disk.names.range(first..);
    for ((_, name), node) in inside.take_while(|((at, _), _)| *at == folder) {
        let path = path.join(name);
        match &disk.bytes[*node] {
            Some(bytes) => fs::write(&path, bytes).unwrap(),
            None => {
                fs::create_dir(&path).unwrap();
                lay_out_folder(disk, *node, &path);
            }
        }
    }
}
