//! Places: every boundary of an evening by its kind and how often that kind came before. What four
//! lanes do at once comes in another order, and sometimes in another number, each time; the k-th
//! call of a kind is there each time but for the last few of the commonest kinds.

use std::collections::BTreeMap;
use std::fmt;
use std::sync::Mutex;

/// So many evenings are watched to know the places.
const WATCHED: usize = 5;

/// The k-th call of a kind.
#[derive(Debug, Clone)]
pub struct Place {
    pub label: String,
    pub nth: u64,
}

impl fmt::Display for Place {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} #{}", self.label, self.nth)
    }
}

/// One kind of boundary.
#[derive(Debug, Default)]
struct Kind {
    /// How often it came in one of those watched.
    at_most: u64,
    played: u64,
    struck: u64,
}

/// All places, and how many of them were struck.
pub struct Places {
    kinds: Mutex<BTreeMap<String, Kind>>,
    longest: usize,
}

impl Places {
    pub fn of(watch: impl Fn() -> Vec<String>) -> Self {
        let evenings: Vec<_> = (0..WATCHED).map(|_| watch()).collect();
        let longest = evenings.iter().map(Vec::len).max().unwrap();
        let mut kinds: BTreeMap<String, Kind> = BTreeMap::new();
        for label in evenings.iter().flatten() {
            let times = evenings
                .iter()
                .map(|all| all.iter().filter(|one| *one == label).count());
            let times: Vec<_> = times.map(|times| u64::try_from(times).unwrap()).collect();
            kinds.entry(label.clone()).or_insert_with(|| Kind {
                at_most: *times.iter().max().unwrap(),
                ..Kind::default()
            });
        }
        Self {
            kinds: Mutex::new(kinds),
            longest,
        }
    }

    /// How many boundaries the longest of the watched evenings had.
    pub fn longest(&self) -> usize {
        self.longest
    }

    /// All places of all kinds, or one in `one_in` of each kind, the first among them.
    pub fn all(&self, one_in: u64) -> Vec<Place> {
        let kinds = self.kinds.lock().unwrap();
        let of = |(label, kind): (&String, &Kind)| {
            let label = label.clone();
            let step = usize::try_from(one_in).unwrap();
            let nths = (1..=kind.at_most).step_by(step);
            nths.map(move |nth| Place {
                label: label.clone(),
                nth,
            })
        };
        kinds.iter().flat_map(of).collect()
    }

    /// A place was played; `seen` are the kinds that were passed before.
    pub fn played(&self, place: &Place, struck: bool, seen: &[String]) {
        let mut kinds = self.kinds.lock().unwrap();
        for label in seen {
            kinds.entry(label.clone()).or_default();
        }
        let kind = kinds.get_mut(&place.label).unwrap();
        kind.played += 1;
        kind.struck += u64::from(struck);
    }

    /// Tells how often each kind was struck. None that was ever seen may have been spared.
    pub fn close(self, how: &str) {
        let kinds = self.kinds.into_inner().unwrap();
        let sum = |of: fn(&Kind) -> u64| kinds.values().map(of).sum::<u64>();
        for (label, kind) in &kinds {
            println!("{:5} of {:5} {how} {label}", kind.struck, kind.played);
        }
        let (played, struck) = (sum(|kind| kind.played), sum(|kind| kind.struck));
        println!(
            "{how}: {struck} of {played} places of {} kinds; the other evenings had no such call",
            kinds.len(),
        );
        let spared: Vec<_> = kinds.iter().filter(|(_, kind)| kind.struck == 0).collect();
        assert!(spared.is_empty(), "never struck: {spared:#?}");
    }
}
