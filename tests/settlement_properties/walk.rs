//! One trip on a random way through the law, with the promises asserted at every step.

use tripsettle::domain::time::MINUTE_MS;
use tripsettle::domain::{
    Call, DeclinePolicy, Elsewhere, Fact, Reply, Ruling, SettlementPolicy, Standing, Status,
    Timestamp, Verdict,
};
use tripsettle::settlement::{Admitted, Decision, History, admit, decide, rule};

use crate::bank::{Bank, Mood};
use crate::settlement::{events, feed_row, hour, line, policy, source, start, taken, trip, usd};

/// What may happen next.
#[derive(Debug, Clone)]
pub enum Step {
    /// Do what the law asks for; the bank is in this mood.
    Act(Mood),
    /// So many minutes pass.
    Wait(i64),
    /// The feed has another cart total.
    Amend(i64),
    /// The retailer's other hand captures (or cancels), and the feed tells.
    Elsewhere(bool),
    /// A processor line shows what the bank captured.
    Line,
    /// Transactional data comes.
    Data,
    /// A person asks the bank and ends a doubt with the truth.
    Rule,
    /// A person ends a doubt with what is not true, and takes it back at once.
    Slip,
    /// A person puts a refused trip back.
    Retry,
    /// Bad debt that a line shows captured is reversed.
    FindCaptured,
    /// The retailer changes the decline policy.
    Policy(usize),
}

pub struct Walk {
    pub history: History,
    facts: Vec<(Timestamp, Fact)>,
    bank: Bank,
    policy: SettlementPolicy,
    now: Timestamp,
    /// An answer that is still on its way.
    on_its_way: Option<Fact>,
    /// A Capture was intended, and not ruled not captured since.
    capture_stands: bool,
    /// The feed told the truth about a capture elsewhere.
    told: bool,
}

impl Walk {
    pub fn new(total: i64, limit: i64, after_loss: bool) -> Self {
        let after_loss = after_loss && total > 0 && total % 3 == 0;
        let fact = taken(usd(total), after_loss);
        let captured = after_loss && total % 2 == 0;
        Self {
            history: History::begin(&fact).unwrap(),
            facts: vec![(start(), fact)],
            bank: Bank {
                limit,
                held: 0,
                dead: false,
                ours: if captured { vec![total] } else { Vec::new() },
                elsewhere: Vec::new(),
                cancelled: false,
            },
            policy: policy(DeclinePolicy::CaptureAuthorized),
            now: start(),
            on_its_way: None,
            capture_stands: after_loss,
            told: false,
        }
    }

    pub fn standing(&self) -> Standing {
        self.history.standing()
    }

    pub fn take(&mut self, step: &Step) {
        // Only words from outside come in while an answer is on its way.
        let outside = matches!(
            step,
            Step::Amend(_) | Step::Elsewhere(_) | Step::Rule | Step::Slip
        );
        if !outside {
            self.hear_what_is_on_its_way();
        }
        match step {
            Step::Act(mood) => {
                self.act(*mood);
            }
            Step::Wait(minutes) => self.until(self.now.plus_ms(minutes * MINUTE_MS)),
            Step::Amend(total) => self.read_feed(*total, None),
            Step::Elsewhere(captured) => self.elsewhere(*captured),
            Step::Line => self.line(),
            Step::Data => self.apply(Fact::Evidence {
                data: Box::default(),
            }),
            Step::Rule => self.rule(),
            Step::Slip => self.slip(),
            Step::Retry => self.retry(),
            Step::FindCaptured => self.find_captured(),
            Step::Policy(place) => self.policy = policy(DeclinePolicy::ALL[*place]),
        }
    }

    pub fn until(&mut self, then: Timestamp) {
        self.now = self.now.max(then);
        self.bank.dead = self.now >= hour(46);
    }

    /// Does what the law asks for; false when it asks for nothing that can be done now.
    fn act(&mut self, mood: Mood) -> bool {
        match decide(&self.history, &self.policy, self.now) {
            Decision::Call(call) => self.call(call, mood),
            Decision::Lose { amount, reason } => {
                let policy = self.policy.on_decline;
                self.apply(Fact::Lost {
                    amount,
                    reason,
                    policy,
                });
            }
            Decision::AskAgain { not_before } => self.until(not_before),
            Decision::AwaitEvidence | Decision::Parked | Decision::Finished => return false,
        }
        true
    }

    fn call(&mut self, call: Call, mood: Mood) {
        match call {
            Call::Capture { amount } => {
                assert!(self.bank.ours.is_empty(), "a second capture of ours");
                assert!(!self.told, "a capture after the feed told of one");
                let standing = self.standing();
                assert!(
                    amount.minor() <= standing.balances.cart_total,
                    "more than the cart"
                );
                assert!(Some(amount.minor()) <= standing.authorized.map(|held| held.minor()));
            }
            Call::Cancel => assert!(!self.capture_stands, "a cancel after a capture"),
            Call::Adjust { .. } => assert!(self.bank.ours.is_empty(), "an adjust after a capture"),
            Call::TransactionalData => panic!("the law asks for no reads"),
        }
        self.apply(Fact::Intent { call });
        let attempt = self.history.steps();
        self.capture_stands |= matches!(call, Call::Capture { .. });
        let Some(reply) = self.bank.hear(call, mood) else {
            return;
        };
        let answer = Fact::Replied { attempt, reply };
        match mood {
            Mood::Slow { .. } => self.on_its_way = Some(answer),
            Mood::Clear
            | Mood::Pending
            | Mood::Refused
            | Mood::Throttled
            | Mood::NotSent
            | Mood::Unclear { .. }
            | Mood::Stranger { .. }
            | Mood::Crash { .. } => self.hear(answer),
        }
    }

    fn hear(&mut self, answer: Fact) {
        let unclear = matches!(
            &answer,
            Fact::Replied {
                reply: Reply::Initiated | Reply::Unclear { .. },
                ..
            }
        );
        self.apply(answer);
        // Ruled while it was on its way, an answer brings the capture back.
        let standing = self.standing();
        let back = standing.balances.in_doubt > 0 || standing.intended.is_some();
        self.capture_stands |= unclear && back;
    }

    fn hear_what_is_on_its_way(&mut self) {
        if let Some(answer) = self.on_its_way.take() {
            self.hear(answer);
        }
    }

    fn read_feed(&mut self, total: i64, elsewhere: Option<Elsewhere>) {
        let place = u64::try_from(self.facts.len()).unwrap();
        let row = feed_row(usd(total), elsewhere, source(&place.to_string(), place));
        match admit(Some(&self.history), &row, &trip(usd(total)), None) {
            Admitted::Facts(facts) => facts.into_iter().for_each(|fact| self.apply(fact)),
            Admitted::Nothing | Admitted::Rejected { .. } => {}
        }
    }

    fn elsewhere(&mut self, captured: bool) {
        let total = self.standing().balances.cart_total;
        if !captured {
            return self.read_feed(total, Some(Elsewhere::Cancelled));
        }
        if total > 0 {
            self.bank.elsewhere.push(total);
            self.told = true;
            self.read_feed(total, Some(Elsewhere::Captured { amount: usd(total) }));
        }
    }

    fn line(&mut self) {
        let captures = self.bank.ours.iter().chain(&self.bank.elsewhere);
        if let Some(amount) = captures.copied().nth(self.history.lines().len()) {
            self.apply(line(usd(amount)));
        }
    }

    fn rule(&mut self) {
        let standing = self.standing();
        let (Status::InDoubt, Some(intended)) = (standing.status, standing.intended) else {
            return;
        };
        // Where the bank has both, the person means ours; an answer on its way is not known yet.
        let verdict = match self.bank.ours.first() {
            Some(amount) => Verdict::Captured {
                amount: usd(*amount.min(&intended.minor())),
            },
            None => Verdict::NotCaptured,
        };
        self.say(verdict);
        self.capture_stands &= verdict != Verdict::NotCaptured;
    }

    fn say(&mut self, verdict: Verdict) {
        let ruling = Ruling {
            verdict,
            by: "Ada".to_owned(),
            note: String::new(),
        };
        let fact = rule(&self.history, &ruling, self.now).unwrap();
        self.apply(fact);
    }

    fn slip(&mut self) {
        let standing = self.standing();
        if standing.status == Status::InDoubt && !self.bank.ours.is_empty() {
            self.say(Verdict::NotCaptured);
            let most = standing.intended.unwrap().minor();
            let amount = usd(self.bank.ours[0].min(most));
            self.say(Verdict::Captured { amount });
        }
    }

    fn retry(&mut self) {
        // Nobody puts back a trip of which the feed says that it is captured.
        if self.standing().status == Status::Refused && !self.told {
            let (by, note) = ("Ada".to_owned(), String::new());
            let ruling = Ruling {
                verdict: Verdict::Retry,
                by,
                note,
            };
            self.apply(Fact::Ruled { ruling });
        }
    }

    fn find_captured(&mut self) {
        let shown: i64 = self
            .history
            .lines()
            .iter()
            .map(|line| line.amount.minor())
            .sum();
        let parts = self.standing().balances;
        let amount = (shown - parts.captured).min(parts.bad_debt);
        if amount > 0 {
            self.apply(Fact::FoundCaptured {
                amount: usd(amount),
            });
        }
    }

    fn apply(&mut self, fact: Fact) {
        self.history.apply(self.now, &fact).unwrap();
        let standing = self.standing();
        let parts = standing.balances;
        assert!(parts.hold(), "{fact:?} made {standing:?}");
        let open = [
            parts.captured,
            parts.bad_debt,
            parts.cancelled,
            parts.in_doubt,
            parts.open,
        ];
        assert!(
            open.iter().all(|part| *part >= 0),
            "{fact:?} made {standing:?}"
        );
        let settled = parts.open == 0 && parts.in_doubt == 0;
        let over = match standing.status {
            Status::Refused | Status::InDoubt | Status::Open => false,
            Status::Captured
            | Status::CapturedPartial
            | Status::Cancelled
            | Status::WrittenOff
            | Status::Expired => true,
        };
        assert!(settled || !over, "{fact:?} made {standing:?}");
        assert!(self.bank.ours.len() <= 1, "charged twice: {:?}", self.facts);
        self.facts.push((self.now, fact));
    }

    pub fn journal_tells_the_same(&self) {
        let replayed = History::replay(&events(&self.facts)).unwrap();
        assert_eq!(replayed.standing(), self.standing());
        for hours in [5, 44, 46, 70] {
            let again = decide(&replayed, &self.policy, hour(hours));
            assert_eq!(again, decide(&self.history, &self.policy, hour(hours)));
        }
    }

    /// The answer on its way comes, doubts are ruled, refused trips are put back.
    pub fn answer_clearly(&mut self) {
        self.hear_what_is_on_its_way();
        self.rule();
        self.retry();
    }

    /// True when the trip comes to rest within so many steps.
    pub fn play_out(&mut self, mood: Mood, most: usize) -> bool {
        self.hear_what_is_on_its_way();
        (0..most).any(|_| !self.act(mood)) && (self.standing().status != Status::Open || self.told)
    }

    /// At rest, with nothing told from outside, our books say what the bank's books say.
    pub fn books_agree_with_the_bank(&self) {
        if self.bank.elsewhere.is_empty() {
            let captured = self.standing().balances.captured;
            assert_eq!(
                captured,
                self.bank.ours.iter().sum::<i64>(),
                "{:?}",
                self.facts
            );
        }
    }
}
