//! The payment service's own ledger: what really happened to every payment token.
//!
//! It shares nothing with the engine: its money is minor units by its own table of currencies, and
//! it reads amounts from the bytes that it is sent.

use std::collections::BTreeMap;

/// `STORE/TRIP_ID`.
pub type Name = String;

/// A card number and a card's expiry that no byte of ours may ever repeat.
pub const CANARIES: [&str; 3] = ["5454545454545454", "5454 5454 5454 5454", "CANARY"];

/// Currencies with their digits.
pub const CURRENCIES: [(&str, u32); 4] = [("USD", 2), ("EUR", 2), ("JPY", 0), ("KWD", 3)];

/// What the service is to do with one token.
#[derive(Debug, Clone)]
pub struct Account {
    pub currency: &'static str,
    pub digits: u32,
    /// The token is dead from here on.
    pub dies_at: i64,
    /// The most that will be authorised.
    pub limit: i64,
    /// PENDING so many times before each decision.
    pub pending_asks: u32,
    /// Refuses this call always.
    pub refuses: Option<&'static str>,
    /// Milliseconds after the capture until there is transactional data; never, if none.
    pub data_after: Option<i64>,
    /// Says that the trip has expired where there is no data yet.
    pub denies_data: bool,
    /// Plants what must not be kept.
    pub plants: bool,
    pub held: i64,
    /// The last amount that a final answer told, and that was heard.
    pub told: i64,
    pub captures: Vec<i64>,
    pub captured_at: i64,
    /// Captured by the retailer's other hand.
    pub elsewhere: Option<i64>,
    pub cancelled: bool,
    /// The other hand did it.
    pub cancelled_elsewhere: bool,
    /// The retailer says that the rest was never owed.
    pub forgiven: bool,
    /// Money-moving calls that were received.
    pub calls: u32,
}

/// A request as its bytes say.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Asked {
    pub name: Name,
    pub call: &'static str,
    pub minor: Option<i64>,
}

/// A service that is wrong.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum Wrong {
    #[default]
    Nothing,
    /// Takes the money twice for one call.
    CapturesTwice,
    /// Takes a little more than was asked for.
    CapturesMore,
    /// Says yes to a capture, and forgets it.
    Forgets,
    /// Cancels what it was asked to capture.
    Cancels,
}

/// An answer: status and body.
pub type Said = (u16, String);

/// All accounts, and every promise that was seen broken.
#[derive(Debug, Default)]
pub struct Ledger {
    pub accounts: BTreeMap<Name, Account>,
    pub broken: Vec<String>,
    /// What the service does wrong: for tests that it is noticed.
    pub wrong: Wrong,
}

fn error(words: &str) -> Said {
    (400, format!(r#"{{"errorMsg":"{words}"}}"#))
}

impl Ledger {
    pub fn breaks(&mut self, what: String) {
        self.broken.push(what);
    }

    /// Carries a request out.
    pub fn execute(&mut self, asked: &Asked, now: i64) -> Said {
        let Some(account) = self.accounts.get_mut(&asked.name) else {
            let what = format!("{}: a call about a trip nobody knows", asked.name);
            self.breaks(what);
            return error("unknown shopping trip");
        };
        if account.refuses == Some(asked.call) {
            return error("BadRequestException: 5454545454545454 is refused");
        }
        let minor = asked.minor.unwrap_or(0);
        match asked.call {
            "adjust" => account.adjust(minor, now),
            "capture" => self.capture(asked, minor, now),
            "cancel" => self.cancel(asked, now),
            _ => account.data(&asked.name, now),
        }
    }

    fn capture(&mut self, asked: &Asked, minor: i64, now: i64) -> Said {
        let does = self.wrong;
        let Some(account) = self.accounts.get_mut(&asked.name) else {
            return error("unknown shopping trip");
        };
        let name = &asked.name;
        let mut wrong = Vec::new();
        if minor > account.told {
            let told = account.told;
            wrong.push(format!(
                "{name}: captures {minor}, but {told} was authorised"
            ));
        }
        // The retailer's other hand may have kept silent, or its word may have come to nothing.
        if account.cancelled && !account.cancelled_elsewhere {
            wrong.push(format!("{name}: a capture after a cancel"));
        }
        let said = if !account.captures.is_empty() {
            wrong.push(format!("{name}: a second capture of {minor} is sent"));
            account.captures.push(minor);
            (200, String::new())
        } else if account.elsewhere.is_some() {
            error("BadRequestException: captured already")
        } else if account.cancelled {
            error("BadRequestException: cancelled already")
        } else if now >= account.dies_at {
            error("ShoppingTripExpiredException")
        } else if minor > account.held {
            error("BadRequestException: more than is authorised")
        } else {
            account.captured_at = now;
            match does {
                Wrong::Nothing => account.captures.push(minor),
                Wrong::CapturesTwice => account.captures.extend([minor, minor]),
                Wrong::CapturesMore => account.captures.push(minor + 1),
                Wrong::Forgets => {}
                Wrong::Cancels => account.cancelled = true,
            }
            (200, String::new())
        };
        self.broken.extend(wrong);
        said
    }

    fn cancel(&mut self, asked: &Asked, now: i64) -> Said {
        let Some(account) = self.accounts.get_mut(&asked.name) else {
            return error("unknown shopping trip");
        };
        if !account.captures.is_empty() {
            let what = format!("{}: a cancel after a capture", asked.name);
            self.breaks(what);
            return error("BadRequestException: captured");
        }
        if now >= account.dies_at {
            return error("ShoppingTripExpiredException");
        }
        if account.cancelled {
            return error("BadRequestException: cancelled already");
        }
        account.cancelled = true;
        (200, String::new())
    }

    /// Captured by our calls, by currency.
    pub fn captured(&self) -> BTreeMap<&'static str, i64> {
        let mut sums = BTreeMap::new();
        for account in self.accounts.values() {
            let sum: i64 = account.captures.iter().sum();
            *sums.entry(account.currency).or_default() += sum;
        }
        sums
    }
}

impl Account {
    /// An amount as JSON has it.
    pub fn text(&self, minor: i64) -> String {
        text_of(minor, self.digits)
    }

    fn adjust(&mut self, minor: i64, now: i64) -> Said {
        if now >= self.dies_at {
            return error("ShoppingTripExpiredException");
        }
        if !self.captures.is_empty() || self.cancelled || self.elsewhere.is_some() {
            return error("BadRequestException: the trip is over");
        }
        let (status, amount) = if self.pending_asks > 0 {
            self.pending_asks -= 1;
            ("PENDING", minor)
        } else if minor <= self.limit {
            self.held = minor;
            ("APPROVED", minor)
        } else {
            ("DECLINED", self.held)
        };
        let (amount, code) = (self.text(amount), self.currency);
        let amount = format!(r#"{{"amount":{amount},"code":"{code}"}}"#);
        let planted = if self.plants {
            r#","pan":"5454545454545454""#
        } else {
            ""
        };
        let body = format!(r#"{{"status":"{status}","authorizedAmount":{amount}{planted}}}"#);
        (200, body)
    }

    fn data(&self, name: &str, now: i64) -> Said {
        let there = self
            .data_after
            .is_some_and(|after| now >= self.captured_at + after);
        if self.captures.is_empty() || !there {
            return match (now >= self.dies_at, self.denies_data) {
                (true, _) | (_, true) if self.captures.is_empty() || self.denies_data => {
                    error("ShoppingTripExpiredException")
                }
                _ => (200, "{}".to_owned()),
            };
        }
        let id = name.replace('/', "-");
        let (brand, more) = match self.plants {
            false => ("VISA", String::new()),
            true => ("5454 5454 5454 5454", planted()),
        };
        let code = self.currency;
        let body = format!(
            r#"{{"brand":"{brand}","tail":"0042","posEntryMode":"EMV_9F39_05",
            "applicationId":"A0000000031010","currency":"{code}","terminalId":"00000042",
            "reconciliationId":"R-{id}","cardStatementTransactionId":"S-{id}"{more}}}"#
        );
        (200, body)
    }

    /// Captured by us, or as far as the world knows elsewhere.
    pub fn taken(&self) -> i64 {
        self.captures.iter().sum()
    }
}

fn planted() -> String {
    r#","expirationDate":"CANARY-2912","track2":"5454545454545454=2912","pan":"5454545454545454",
    "cardholder":{"name":"CANARY"},"authorizationResponseCode":"00 5454545454545454""#
        .to_owned()
}

/// Minor units as decimal text, by hand.
pub fn text_of(minor: i64, digits: u32) -> String {
    let unit = 10_i64.pow(digits);
    let (whole, part) = (minor / unit, minor % unit);
    match usize::try_from(digits).unwrap() {
        0 => whole.to_string(),
        width => format!("{whole}.{part:0width$}"),
    }
}

/// Decimal text as minor units, by hand; none when it has not exactly these digits.
pub fn minor_of(text: &str, digits: u32) -> Option<i64> {
    let (sign, text) = match text.strip_prefix('-') {
        Some(rest) => (-1, rest),
        None => (1, text),
    };
    let (whole, part) = text.split_once('.').unwrap_or((text, ""));
    if part.len() != usize::try_from(digits).unwrap() {
        return None;
    }
    let digits_only = |text: &str| text.bytes().all(|byte| byte.is_ascii_digit());
    if whole.is_empty() || !digits_only(whole) || !digits_only(part) {
        return None;
    }
    Some(sign * format!("{whole}{part}").parse::<i64>().unwrap())
}

/// The digits of a currency that is in use here.
pub fn digits_of(code: &str) -> Option<u32> {
    let mut known = CURRENCIES.iter();
    known
        .find(|(known, _)| *known == code)
        .map(|(_, digits)| *digits)
}
