//! Plays a row of the table against the law.

use tripsettle::domain::{
    CaptureState, DeclinePolicy, Fact, LossReason, Money, SettlementPolicy, Status, Timestamp,
};
use tripsettle::settlement::{History, decide, rule};

use crate::cells::{Cells, words};
use crate::settlement::{events, policy, start, taken};

/// One trip on its way through a row.
pub struct Play {
    history: Option<History>,
    facts: Vec<(Timestamp, Fact)>,
    policy: SettlementPolicy,
    now: Timestamp,
    cells: Cells,
}

type Played = Result<(), String>;

impl Play {
    /// Plays the cells of a row.
    pub fn row(row: &str) -> Played {
        let mut play = Self {
            history: None,
            facts: Vec::new(),
            policy: policy(DeclinePolicy::CaptureAuthorized),
            now: start().plus_ms(5 * 3_600_000),
            cells: Cells {
                currency: "USD".to_owned(),
            },
        };
        if !["| → ", "| ✗ ", "| has "]
            .iter()
            .any(|end| row.contains(end))
        {
            return Err("the row ends in nothing that follows".to_owned());
        }
        for cell in row.split(" | ") {
            play.cell(cell.trim())
                .map_err(|why| format!("in `{cell}`: {why}"))?;
            if let Some(history) = &play.history
                && !history.standing().balances.hold()
            {
                return Err(format!("the parts do not add up: {:?}", history.standing()));
            }
        }
        play.journal_tells_the_same()
    }

    fn cell(&mut self, cell: &str) -> Played {
        let (word, rest) = cell.split_once(' ').unwrap_or((cell, ""));
        match word {
            "taken" => self.taken(rest),
            "hour" => self.hour(rest),
            "policy" => self.policy(rest),
            "adjust" | "capture" | "cancel" => self.call(cell),
            "answer" => self.answer(rest),
            "booked" => self.booked(rest),
            "→" => self.expect(rest),
            "is" => self.is(rest),
            "has" => self.has(rest),
            "✗" => self.refuses(rest),
            _ => {
                let fact = self.fact(cell)?;
                self.apply(fact)
            }
        }
    }

    fn taken(&mut self, rest: &str) -> Played {
        let (amount, after_loss) = match rest.strip_suffix(" after a loss of state") {
            Some(amount) => (amount, true),
            None => (rest, false),
        };
        let amount = self.cells.money(amount);
        self.cells.currency = amount.currency().to_string();
        self.apply(taken(amount, after_loss))
    }

    fn hour(&mut self, rest: &str) -> Played {
        let mut parts = rest.split(':').map(|part| part.parse::<i64>().unwrap());
        let mut next = || parts.next().unwrap_or(0);
        let seconds = (next() * 60 + next()) * 60 + next();
        self.now = start().plus_ms(seconds * 1000);
        Ok(())
    }

    /// `search`, or `search 2 probes 10 %`.
    fn policy(&mut self, rest: &str) -> Played {
        let words: Vec<&str> = rest.split(' ').collect();
        let on_decline = DeclinePolicy::of(words[0]).ok_or("no such policy")?;
        self.policy = policy(on_decline);
        if let [_, probes, "probes", percent, "%"] = words[..] {
            self.policy.max_probes = probes.parse().unwrap();
            self.policy.min_gain_percent = percent.parse().unwrap();
        }
        Ok(())
    }

    /// `capture 12.00 → initiated`; after `…` the answer has not come (yet).
    fn call(&mut self, cell: &str) -> Played {
        let (call, reply) = cell.split_once(" → ").ok_or("a call without an answer")?;
        self.expect(call)?;
        let call = self.cells.intent(call);
        self.apply(Fact::Intent { call })?;
        if reply == "…" {
            Ok(())
        } else {
            self.answer(reply)
        }
    }

    fn answer(&mut self, rest: &str) -> Played {
        let fact = self.fact(&format!("answer {rest}"))?;
        self.apply(fact)
    }

    fn fact(&self, cell: &str) -> Result<Fact, String> {
        self.cells
            .fact(cell, self.last_intent(), self.policy.on_decline)
    }

    fn last_intent(&self) -> u32 {
        let is_intent = |(_, fact): &(Timestamp, Fact)| matches!(fact, Fact::Intent { .. });
        let place = self.facts.iter().rposition(is_intent).unwrap_or(0);
        u32::try_from(place + 1).unwrap()
    }

    fn booked(&mut self, rest: &str) -> Played {
        self.expect(&format!("lose {rest}"))?;
        let (amount, reason) = rest.split_once(' ').ok_or("a loss without a reason")?;
        self.apply(Fact::Lost {
            amount: self.cells.money(amount),
            reason: LossReason::of(reason).ok_or("no such reason")?,
            policy: self.policy.on_decline,
        })
    }

    fn apply(&mut self, fact: Fact) -> Played {
        if let (Some(history), Fact::Ruled { ruling }) = (&self.history, &fact) {
            rule(history, ruling, self.now).map_err(|refused| refused.to_string())?;
        }
        let applied = match &mut self.history {
            Some(history) => history.apply(self.now, &fact),
            none => History::begin(&fact).map(|history| *none = Some(history)),
        };
        applied.map_err(|illegal| illegal.to_string())?;
        self.facts.push((self.now, fact));
        Ok(())
    }

    fn expect(&self, expected: &str) -> Played {
        let history = self.history.as_ref().ok_or("there is no trip")?;
        let found = words(decide(history, &self.policy, self.now));
        if found == expected {
            Ok(())
        } else {
            Err(format!("the law says `{found}`"))
        }
    }

    /// `is captured_partial: captured 12.00, bad debt 8.00, initiated`.
    fn is(&self, rest: &str) -> Played {
        let standing = self.history.as_ref().ok_or("there is no trip")?.standing();
        let (status, parts) = rest.split_once(": ").unwrap_or((rest, ""));
        let mut said: Vec<String> = Vec::new();
        let balances = standing.balances;
        for (name, minor) in [
            ("captured", balances.captured),
            ("bad debt", balances.bad_debt),
            ("cancelled", balances.cancelled),
            ("in doubt", balances.in_doubt),
            ("open", balances.open),
        ] {
            if minor != 0 {
                let part = Money::of_minor(minor, balances.currency);
                said.push(format!("{name} {}", part.decimal_text()));
            }
        }
        if !matches!(
            standing.capture_state,
            CaptureState::None | CaptureState::InDoubt
        ) {
            said.push(standing.capture_state.to_string());
        }
        let found = (standing.status, said.join(", "));
        if (Status::of(status), parts) == (Some(found.0), found.1.as_str()) {
            return Ok(());
        }
        Err(format!("it is `{}: {}`", found.0, found.1))
    }

    /// `has 2 adjusts`, `has no deadline`: the columns that other rooms read.
    fn has(&self, what: &str) -> Played {
        let history = self.history.as_ref().ok_or("there is no trip")?;
        let standing = history.standing();
        let raised = self.fact("amended 25.00")?;
        let is_fixed = history.clone().apply(self.now, &raised).is_err();
        let mut had = vec![format!("{} adjusts", standing.adjust_calls)];
        had.push(format!("version {}", standing.version));
        had.extend(
            standing
                .intended
                .map(|intended| format!("{} intended", intended.decimal_text())),
        );
        for (name, present) in [
            ("deadline", standing.act_by.is_some()),
            ("wish for data", standing.wants_data),
            ("fixed total", is_fixed),
            (
                "conflict with the feed",
                history.elsewhere_conflict().is_some(),
            ),
        ] {
            had.extend(present.then(|| name.to_owned()));
        }
        let (expected, what) = match what.strip_prefix("no ") {
            Some(what) => (false, what),
            None => (true, what),
        };
        let found = had.iter().any(|name| name == what);
        if found == expected {
            Ok(())
        } else {
            Err(format!("it has {}", had.join(", ")))
        }
    }

    /// The law must forbid the fact, and stay as it was.
    fn refuses(&mut self, cell: &str) -> Played {
        let before = self.history.as_ref().ok_or("there is no trip")?.standing();
        let fact = self.fact(cell)?;
        if self.apply(fact).is_ok() {
            return Err("the law should forbid it".to_owned());
        }
        let after = self.history.as_ref().ok_or("there is no trip")?.standing();
        if before == after {
            Ok(())
        } else {
            Err("refused, yet something changed".to_owned())
        }
    }

    fn journal_tells_the_same(&self) -> Played {
        let replayed = History::replay(&events(&self.facts)).map_err(|why| why.to_string())?;
        let history = self.history.as_ref().ok_or("there is no trip")?;
        let same = replayed.standing() == history.standing()
            && decide(&replayed, &self.policy, self.now) == decide(history, &self.policy, self.now);
        if same {
            Ok(())
        } else {
            Err("the journal, read again, says otherwise".to_owned())
        }
    }
}
