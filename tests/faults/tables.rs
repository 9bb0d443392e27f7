//! The two tables, read and joined.

use std::collections::{BTreeMap, BTreeSet};

use tripsettle::sandbox::{CallKind, Side};

/// A call: its name in the journal, and the sandbox's.
#[derive(Clone, Copy)]
pub struct Struck {
    pub name: &'static str,
    pub kind: CallKind,
    word: &'static str,
}

/// The four calls, in the order of the columns.
pub const CALLS: [Struck; 4] = [
    Struck {
        name: "adjust",
        kind: CallKind::Adjust,
        word: "adjust",
    },
    Struck {
        name: "capture",
        kind: CallKind::Capture,
        word: "capture",
    },
    Struck {
        name: "cancel",
        kind: CallKind::Cancel,
        word: "cancel",
    },
    Struck {
        name: "transactional_data",
        kind: CallKind::TransactionalData,
        word: "read",
    },
];

pub fn side_name(side: Side) -> &'static str {
    match side {
        Side::Before => "before",
        Side::After => "after",
    }
}

/// One fault on one call on one side of its effect, and what is to be seen.
pub struct Cell {
    pub fault: String,
    pub call: Struck,
    pub side: Side,
    pub expected: String,
}

impl Cell {
    pub fn name(&self) -> String {
        name(&self.fault, self.call, self.side)
    }
}

fn name(fault: &str, call: Struck, side: Side) -> String {
    format!("{fault} | {} | {}", call.word, side_name(side))
}

/// How one fault sounds to the four calls.
struct Sound {
    fault: String,
    heard: [String; 4],
    sides: Vec<Side>,
}

pub struct Tables {
    sounds: Vec<Sound>,
    /// By `heard | call | side`.
    consequences: BTreeMap<String, String>,
}

fn rows(text: &str) -> impl Iterator<Item = &str> {
    text.lines()
        .filter(|line| !line.is_empty() && !line.starts_with('#'))
}

impl Tables {
    pub fn read() -> Self {
        let mut sides = Vec::new();
        let mut sounds = Vec::new();
        for row in rows(include_str!("catalogue.txt")) {
            match row {
                "[before]" => sides = vec![Side::Before],
                "[before, after]" => sides = vec![Side::Before, Side::After],
                row => sounds.push(sound(row, &sides)),
            }
        }
        let mut consequences = BTreeMap::new();
        for row in rows(include_str!("consequences.txt")) {
            let cells: Vec<&str> = row.splitn(4, " | ").collect();
            let [heard, call, side, follows] = cells[..] else {
                panic!("{row}: heard | call | side | …");
            };
            let sides = if side == "both" {
                vec!["before", "after"]
            } else {
                vec![side]
            };
            for side in sides {
                let key = format!("{heard} | {call} | {side}");
                let before = consequences.insert(key, follows.to_owned());
                assert_eq!(before, None, "{row} stands there twice");
            }
        }
        Self {
            sounds,
            consequences,
        }
    }

    /// The full product: every fault, every call, every side that there can be.
    pub fn product(&self) -> BTreeSet<String> {
        let mut names = BTreeSet::new();
        for sound in &self.sounds {
            for call in CALLS {
                names.extend(
                    sound
                        .sides
                        .iter()
                        .map(|side| name(&sound.fault, call, *side)),
                );
            }
        }
        names
    }

    /// Every row, with what follows from it; a row from which nothing follows fails the test.
    pub fn cells(&self) -> Vec<Cell> {
        let mut cells = Vec::new();
        for sound in &self.sounds {
            for (call, heard) in CALLS.iter().zip(&sound.heard) {
                for side in &sound.sides {
                    let key = format!("{heard} | {} | {}", call.word, side_name(*side));
                    let follows = self.consequences.get(&key);
                    cells.push(Cell {
                        fault: sound.fault.clone(),
                        call: *call,
                        side: *side,
                        expected: follows
                            .unwrap_or_else(|| panic!("{key} is not told"))
                            .clone(),
                    });
                }
            }
        }
        cells
    }

    /// Consequences that no fault has.
    pub fn unused(&self) -> Vec<String> {
        let mut left: BTreeSet<String> = self.consequences.keys().cloned().collect();
        for sound in &self.sounds {
            for (call, heard) in CALLS.iter().zip(&sound.heard) {
                for side in &sound.sides {
                    left.remove(&format!("{heard} | {} | {}", call.word, side_name(*side)));
                }
            }
        }
        left.into_iter().collect()
    }
}

fn sound(row: &str, sides: &[Side]) -> Sound {
    let cells: Vec<&str> = row.split(" | ").map(str::trim_end).collect();
    let heard = match cells[1..] {
        [all] => [all; 4],
        [adjust, capture, cancel, read] => [adjust, capture, cancel, read],
        _ => panic!("{row}: one word, or one for each call"),
    };
    Sound {
        fault: cells[0].to_owned(),
        heard: heard.map(str::to_owned),
        sides: sides.to_vec(),
    }
}
