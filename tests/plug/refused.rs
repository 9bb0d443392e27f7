//! The disk says no: EIO or ENOSPC at every boundary on it, once and from then on.

use std::collections::BTreeMap;
use std::fmt;
use std::path::PathBuf;
use std::sync::Mutex;

use nix::errno::Errno;

use super::boundary::{Boundary, Target};
use super::evening::Evening;
use super::killed::undisturbed;
use super::many::{Tally, each, is_long, one_in};
use super::places::{Place, Places};
use super::tracer::{Call, Ended, Verdict, Watch};

/// What the disk answers, where, and whether it recovers.
#[derive(Debug, Clone)]
struct Fault {
    place: Place,
    errno: Errno,
    for_ever: bool,
}

impl fmt::Display for Fault {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let how = if self.for_ever { "from" } else { "at" };
        write!(f, "{} {how} {}", self.errno, self.place)
    }
}

/// What may be forced to disk again: a database that is not in use yet, and folders that only say
/// which trip files were taken, which the journal knows better. The database itself is written anew
/// from the log each time, and a folder of state is forced by SQLite, which does not heed the
/// answer, after we did so ourselves. The folder above all is on the road of each of them: the mail
/// of a run whose output was refused makes a folder of its own there.
const AGAIN: [&str; 7] = [
    "fsync ",
    "fsync state/tripsettle.db.new-N",
    "fsync state/tripsettle.db-journal",
    "fsync state/tripsettle.db",
    "fsync state",
    "fsync inbox",
    "fsync inbox/taken",
];

struct Refuser {
    root: PathBuf,
    fault: Fault,
    struck: Option<Target>,
    seen: Vec<String>,
    /// What could not be forced to disk, and was tried again all the same.
    synced_again: Vec<String>,
    failed_syncs: Vec<Target>,
}

impl Refuser {
    fn new(evening: &Evening, fault: Fault) -> Self {
        let root = evening.root().to_owned();
        let (seen, synced_again, failed_syncs) = (Vec::new(), Vec::new(), Vec::new());
        Self {
            root,
            fault,
            struck: None,
            seen,
            synced_again,
            failed_syncs,
        }
    }

    fn strikes(&mut self, label: &str) -> bool {
        if self.struck.is_some() {
            return self.fault.for_ever;
        }
        if self.fault.place.label == label {
            self.fault.place.nth -= 1;
        }
        self.fault.place.nth == 0
    }
}

impl Watch for Refuser {
    fn enters(&mut self, call: &Call) -> Verdict {
        let Some(boundary) = Boundary::of(call).filter(|boundary| boundary.is_below(&self.root))
        else {
            return Verdict::Pass;
        };
        let label = boundary.label(&self.root);
        let is_sync = matches!(boundary.call, "fsync" | "fdatasync");
        let is_heeded = !AGAIN.contains(&label.as_str());
        if is_sync && is_heeded && self.failed_syncs.contains(&boundary.target) {
            self.synced_again.push(label.clone());
        }
        if !self.strikes(&label) {
            // What is tidied away after a refusal is no part of an evening.
            if self.struck.is_none() {
                self.seen.push(label);
            }
            return Verdict::Pass;
        }
        if is_sync {
            self.failed_syncs.push(boundary.target.clone());
        }
        self.struck.get_or_insert(boundary.target);
        Verdict::Fail(self.fault.errno)
    }
}

/// How commands ended whose disk refused something, by the kind of what was refused.
#[derive(Default)]
struct Endings(Mutex<BTreeMap<(String, Option<i32>), u64>>);

impl Endings {
    fn add(&self, fault: &Fault, code: Option<i32>) {
        let key = (fault.place.label.clone(), code);
        *self.0.lock().unwrap().entry(key).or_default() += 1;
    }

    fn close(self) {
        for ((label, code), times) in self.0.into_inner().unwrap() {
            println!("{times:5} ended with {code:?} after {label}");
        }
    }
}

/// One sentence that says what, where and why, and that nothing is lost.
fn is_told(ended: &Ended) {
    let told = format!("{}{}", ended.err, ended.out);
    let lines = ended
        .err
        .lines()
        .filter(|line| !line.trim().is_empty())
        .count();
    assert!(lines <= 1, "more than one message: {ended:#?}");
    assert!(
        told.contains("run again"),
        "no word of what helps: {ended:#?}"
    );
}

fn play(fault: Fault, places: &Places, endings: &Endings) {
    let evening = Evening::begin();
    let mut refuser = Refuser::new(&evening, fault.clone());
    for command in Evening::COMMANDS {
        let ended = evening.watched(command, &mut refuser);
        if refuser.struck.is_some() {
            endings.add(&fault, ended.code);
            match ended.code {
                Some(74) => is_told(&ended),
                Some(0 | 10..=12) => {}
                _ => panic!("a strange end: {ended:#?}"),
            }
            break;
        }
    }
    places.played(&fault.place, refuser.struck.is_some(), &refuser.seen);
    assert!(
        refuser.synced_again.is_empty(),
        "forced again: {:?}",
        refuser.synced_again
    );
    evening.recover();
    // The disk kept what it refused to confirm: that is a doubt for each call on its way.
    evening.testifies(1);
}

#[test]
#[ignore = "minutes; .ci/run plays it"]
fn a_disk_that_refuses_any_call_loses_nothing() {
    let (tally, endings) = (Tally::default(), Endings::default());
    let places = Places::of(|| {
        let on_disk = |label: &String| !label.contains(" the ");
        undisturbed().into_iter().filter(on_disk).collect()
    });
    let mut faults = Vec::new();
    let all = [
        (Errno::EIO, false),
        (Errno::ENOSPC, true),
        (Errno::EIO, true),
        (Errno::ENOSPC, false),
    ];
    for place in places.all(one_in(96)) {
        for &(errno, for_ever) in if is_long() { &all[..] } else { &all[..2] } {
            faults.push(Fault {
                place: place.clone(),
                errno,
                for_ever,
            });
        }
    }
    each(&faults, |fault| {
        tally.case(&fault.clone(), || play(fault, &places, &endings));
    });
    endings.close();
    places.close("refused");
    tally.close("disk faults");
}
