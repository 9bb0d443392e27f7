//! Killed at every boundary, and again in the recovery.

use std::path::PathBuf;

use super::boundary::Boundary;
use super::evening::Evening;
use super::many::{Draw, Tally, each, one_in};
use super::places::{Place, Places};
use super::tracer::{Call, Verdict, Watch};

/// When to kill.
#[derive(Debug, Clone)]
pub enum When {
    /// Before the k-th call of a kind.
    At(Place),
    /// Before the n-th boundary, whatever it is.
    Nth(u64),
    Never,
}

/// Kills once, and remembers the kinds that were passed.
pub struct Killer {
    root: PathBuf,
    when: When,
    pub seen: Vec<String>,
    pub struck: Option<String>,
}

impl Killer {
    pub fn new(evening: &Evening, when: When) -> Self {
        let root = evening.root().to_owned();
        Self {
            root,
            when,
            seen: Vec::new(),
            struck: None,
        }
    }

    /// Runs the evening's commands until one of them is killed; true when all of them ended.
    pub fn play(&mut self, evening: &Evening) -> bool {
        for command in Evening::COMMANDS {
            let ended = evening.watched(command, self);
            if self.struck.is_some() {
                assert_eq!(ended.code, None, "it lived on: {ended:#?}");
                return false;
            }
            assert!(matches!(ended.code, Some(0 | 10..=12)), "{ended:#?}");
        }
        true
    }

    fn strikes(&mut self, label: &str) -> bool {
        let left = match &mut self.when {
            When::At(place) if place.label == label => &mut place.nth,
            When::Nth(left) => left,
            When::At(_) | When::Never => return false,
        };
        *left -= 1;
        *left == 0
    }
}

impl Watch for Killer {
    fn enters(&mut self, call: &Call) -> Verdict {
        let Some(boundary) = Boundary::of(call).filter(|_| self.struck.is_none()) else {
            return Verdict::Pass;
        };
        let label = boundary.label(&self.root);
        if self.strikes(&label) {
            self.struck = Some(label);
            return Verdict::Kill;
        }
        self.seen.push(label);
        Verdict::Pass
    }
}

/// What an evening passes that nobody disturbs.
pub fn undisturbed() -> Vec<String> {
    let evening = Evening::begin();
    let mut nobody = Killer::new(&evening, When::Never);
    assert!(nobody.play(&evening));
    evening.testifies(0);
    nobody.seen
}

#[test]
#[ignore = "minutes; .ci/run plays it"]
fn a_night_killed_at_any_system_call_is_finished_by_the_next() {
    let (tally, places) = (Tally::default(), Places::of(undisturbed));
    each(&places.all(one_in(24)), |place| {
        tally.case(&place, || {
            let evening = Evening::begin();
            let mut killer = Killer::new(&evening, When::At(place.clone()));
            let ended = killer.play(&evening);
            places.played(&place, !ended, &killer.seen);
            evening.recover();
            evening.testifies(usize::from(!ended));
        });
    });
    places.close("killed before");
    tally.close("kills at every boundary");
}

#[test]
#[ignore = "minutes; .ci/run plays it"]
fn a_recovery_killed_at_a_drawn_system_call_is_finished_by_the_next() {
    let (tally, places, again) = (Tally::default(), Places::of(undisturbed), Tally::default());
    each(&places.all(one_in(64)), |place| {
        tally.case(&place, || {
            let evening = Evening::begin();
            let mut first = Killer::new(&evening, When::At(place.clone()));
            let ended = first.play(&evening);
            // The recovery has what was left to do before it, and its own beginning and end.
            let left = places.longest().saturating_sub(first.seen.len()) + 300;
            let drawn = 1 + Draw::of(&place).below(left.try_into().unwrap());
            let mut second = Killer::new(&evening, When::Nth(drawn));
            if !second.play(&evening) {
                again.count();
            }
            evening.recover();
            evening.testifies(usize::from(!ended) + 1);
        });
    });
    tally.close("kills, each with one more at a drawn boundary of the recovery");
    again.close("of these the recovery was still alive to be killed");
}

/// The first kill leaves an edition in place of which nobody was told; the second comes while the
/// recovery makes it once more, to tell of it. A backfill sends no mail, and leaves it to the run.
#[test]
fn an_edition_is_told_of_by_the_run_that_lives_to_do_it() {
    let evening = Evening::begin();
    let kills = [
        "fsync out/N-N-N",
        "fchmod out/.staging-N-N-N-eN/reconciliation.csv",
    ];
    for label in kills {
        let label = label.to_owned();
        let mut killer = Killer::new(&evening, When::At(Place { label, nth: 1 }));
        assert!(!killer.play(&evening), "nothing was killed");
        assert_eq!(evening.night.editions().len(), 1);
        assert_eq!(evening.mails(), Vec::<String>::new());
    }
    let edition = evening.night.newest_editions().remove(0);
    let day = edition.parent().unwrap().file_name().unwrap();
    let day = day.to_str().unwrap();
    let filled = evening
        .night
        .tripsettle(&["backfill", "--from", day, "--to", day]);
    assert!(matches!(filled.code, Some(0 | 10..=12)), "{filled:#?}");
    assert_eq!(evening.mails(), Vec::<String>::new());
    evening.recover();
    let mails = evening.mails();
    assert_eq!(mails.len(), 1);
    assert!(mails[0].contains("Days closed: 1"), "{}", mails[0]);
    evening.testifies(2);
}

#[test]
fn an_evening_that_nobody_disturbs_ends_as_told() {
    assert!(undisturbed().len() > 500);
}
