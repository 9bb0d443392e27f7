//! Strays: refusals that have nothing to do with our rate, as where a service sheds load, or other
//! clients of the account come in bursts.
//!
//! Who keeps below a limit is refused no more. So a no below the limit that we believe in speaks
//! against it, and we go slower. If that was in vain, three times in a row, the rate of before is
//! taken up again: a no costs its pause, but going slower and slower would cost the night. From
//! then on a no changes nothing, until they come much more often than was usual. Nor is it so where
//! the pauses take most of the time: far above a limit every pause fills the service's bucket,
//! which then lasts as long at any rate.

use std::time::Duration;

use super::limit::ENOUGH;

/// So many refusals in a row, each at a slower rate, show whether that was in vain.
const TRIES: u32 = 3;
/// A refusal after less than this part of the usual grants comes soon,
const SOON: u32 = 4;
/// and after so many of them in a row it is no stray any more.
const SOON_IN_A_ROW: u32 = 3;
/// Between two pauses calls go for at least this part of a pause, or the pauses are not worth it.
const WORTH: u32 = 3;
/// What the running mean keeps of itself, in eighths.
const KEPT: u32 = 7;

/// What a refusal tells.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Tells {
    /// Something about the service's limit.
    Limit,
    /// Nothing.
    Nothing,
    /// That we went slower in vain: this is the limit that we believed in before.
    InVain(Duration),
}

/// A 429, and what was before it.
#[derive(Debug, Clone, Copy)]
pub(super) struct Refusal {
    /// Good replies since the last one that counted.
    pub granted: u32,
    /// Refusals since that one which came too soon to count.
    pub so_soon: u32,
    /// The limit that we believe in, if we keep below it.
    pub undercut: Option<Duration>,
    /// For how long calls went since the last pause.
    pub went: Duration,
    /// How long that pause was.
    pub pause: Duration,
}

impl Refusal {
    fn is_worth_its_pause(&self) -> bool {
        self.went.saturating_mul(WORTH) >= self.pause
    }
}

/// What is known of refusals that are not for our rate.
#[derive(Debug, Default)]
pub(super) struct Strays {
    trial: Option<Trial>,
    usual: Option<Usual>,
}

/// Refusals below the limit that we believed in.
#[derive(Debug)]
struct Trial {
    before: Duration,
    /// The grants before the first of them.
    first: u32,
    sum: u32,
    times: u32,
}

/// How many grants there are between two strays.
#[derive(Debug)]
struct Usual {
    found: u32,
    mean: u32,
    soon: u32,
}

impl Usual {
    fn goes_on(&mut self, refusal: &Refusal) -> bool {
        // One long peace must not outweigh many refusals after it.
        let granted = refusal.granted.min(self.found.saturating_mul(4));
        self.mean = self.mean.saturating_mul(KEPT).saturating_add(granted) / (KEPT + 1);
        let is_soon = granted < self.found / SOON || !refusal.is_worth_its_pause();
        self.soon = match is_soon {
            true => self.soon.saturating_add(1),
            false => 0,
        };
        self.soon < SOON_IN_A_ROW && self.mean >= self.found / 2
    }
}

impl Strays {
    /// True while refusals change nothing.
    pub fn are_usual(&self) -> bool {
        self.usual.is_some()
    }

    /// What a refusal tells.
    pub fn refused(&mut self, refusal: &Refusal) -> Tells {
        let granted = refusal.granted;
        if let Some(usual) = &mut self.usual {
            if usual.goes_on(refusal) {
                return Tells::Nothing;
            }
            *self = Self::default();
        }
        if granted < ENOUGH || refusal.so_soon > 0 || !refusal.is_worth_its_pause() {
            return Tells::Limit;
        }
        let Some(before) = refusal.undercut else {
            self.trial = None;
            return Tells::Limit;
        };
        let trial = self.trial.get_or_insert(Trial {
            before,
            first: granted,
            sum: 0,
            times: 0,
        });
        trial.times = trial.times.saturating_add(1);
        trial.sum = trial.sum.saturating_add(granted);
        if trial.times < TRIES {
            return Tells::Limit;
        }
        let (before, mean) = (trial.before, trial.sum / TRIES);
        let is_vain = granted <= trial.first.saturating_mul(2);
        self.trial = None;
        if !is_vain {
            return Tells::Limit;
        }
        self.usual = Some(Usual {
            found: mean,
            mean,
            soon: 0,
        });
        Tells::InVain(before)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const LIMIT: Duration = Duration::from_millis(50);

    /// So many grants in as many seconds, and a pause of one before.
    fn after(granted: u32) -> Refusal {
        Refusal {
            granted,
            so_soon: 0,
            undercut: Some(LIMIT),
            went: Duration::from_secs(granted.into()),
            pause: Duration::from_secs(1),
        }
    }

    /// What each refusal tells, after so many grants each, all of them below the limit.
    fn told(grants: &[u32]) -> String {
        let mut strays = Strays::default();
        let tell = |granted: &u32| match strays.refused(&after(*granted)) {
            Tells::Limit => "limit",
            Tells::Nothing => "-",
            Tells::InVain(before) => {
                assert_eq!(before, LIMIT);
                "in vain"
            }
        };
        grants.iter().map(tell).collect::<Vec<_>>().join(" ")
    }

    #[test]
    fn what_comes_as_often_at_a_slower_rate_is_not_for_the_rate() {
        for (grants, expected) in [
            (&[50, 50, 50, 50, 20, 200][..], "limit limit in vain - - -"),
            // Going slower helped.
            (&[50, 80, 101], "limit limit limit"),
            (
                &[20, 30, 41, 40, 40, 40],
                "limit limit limit limit limit in vain",
            ),
            // Too few to tell: a burst, or a storm.
            (&[9, 9, 9, 9], "limit limit limit limit"),
            // Strays until they come soon, three times in a row,
            (
                &[40, 40, 40, 9, 9, 40, 9, 9, 9],
                "limit limit in vain - - - - - limit",
            ),
            // or twice as often.
            (
                &[40, 40, 40, 11, 11, 11, 11, 11, 11, 11, 11],
                "limit limit in vain - - - - - - - limit",
            ),
        ] {
            assert_eq!(told(grants), expected, "{grants:?}");
        }
    }

    #[test]
    fn at_the_limit_or_in_a_storm_nothing_is_in_vain() {
        let mut strays = Strays::default();
        for undercut in [Some(LIMIT), Some(LIMIT), None, Some(LIMIT), Some(LIMIT)] {
            let refusal = Refusal {
                undercut,
                ..after(50)
            };
            assert_eq!(strays.refused(&refusal), Tells::Limit);
        }
        let pause = Duration::from_secs(151);
        for refusal in [
            Refusal {
                so_soon: 1,
                ..after(50)
            },
            Refusal { pause, ..after(50) },
        ] {
            let mut strays = Strays::default();
            for _ in 0..9 {
                assert_eq!(strays.refused(&refusal), Tells::Limit);
            }
        }
    }

    #[test]
    fn pauses_that_take_most_of_the_time_are_for_the_limit_after_all() {
        let mut strays = Strays::default();
        let told = (0..3).map(|_| strays.refused(&after(50))).last();
        assert_eq!(told, Some(Tells::InVain(LIMIT)));
        let pause = Duration::from_secs(600);
        let long = Refusal { pause, ..after(50) };
        let told = [(); 3].map(|()| strays.refused(&long));
        assert_eq!(told, [Tells::Nothing, Tells::Nothing, Tells::Limit]);
    }
}
