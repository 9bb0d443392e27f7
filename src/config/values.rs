//! Text to the values of [`Config`]: what is wrong is noted, and reading goes on.

use std::collections::BTreeMap;
use std::path::PathBuf;
use std::time::Duration;

use crate::domain::time::{HOUR_MS, MINUTE_MS};
use crate::domain::{
    Currency, DeclinePolicy, MailUrl, Money, ProcessorName, SettlementPolicy, StoreId,
};

use super::days::{Day, Expects};
use super::layers::Layers;
use super::reader::Reader;
use super::{
    Config, DebtConfig, MailConfig, PaymentServiceConfig, StoreConfig, SweepConfig, exports,
    places, processors,
};

/// The longest lifetime that makes sense to configure, in hours.
pub(super) const MOST_HOURS: i64 = 24 * 365;
/// The longest time that a small debt may be left open, in days.
const MOST_DAYS: i64 = 3_650;
/// No mail server takes more.
const MOST_ATTACHED_BYTES: u64 = 1_000_000_000;

pub(super) fn read(reader: &Reader<'_>, file: Option<PathBuf>, layers: Layers) -> Config {
    let hours = |key, least| {
        reader
            .number(key, least, MOST_HOURS)
            .saturating_mul(HOUR_MS)
    };
    let minutes = |key| {
        reader
            .number(key, 0, MOST_HOURS * 60)
            .saturating_mul(MINUTE_MS)
    };
    let lifetime = reader.whole("token.lifetime_hours", 1, MOST_HOURS);
    let margin = reader.whole("token.margin_minutes", 0, MOST_HOURS * 60);
    let lifetime_ms = lifetime.unwrap_or(MOST_HOURS).saturating_mul(HOUR_MS);
    let margin_ms = margin.unwrap_or(0).saturating_mul(MINUTE_MS);
    if margin_ms >= lifetime_ms {
        reader.wrong_key(
            "token.margin_minutes",
            "the margin is not shorter than the lifetime",
        );
    }
    let path = |key| reader.path(key).unwrap_or_default();
    let company = Day::read(reader, "calendar", &Day::default());
    let expects = Expects::read(reader, "calendar", &Expects::default());
    Config {
        state_dir: path("state_dir"),
        output_dir: path("output_dir"),
        inbox_dir: path("inbox_dir"),
        payment_service: payment_service(reader),
        lifetime_ms,
        margin_ms,
        sweep: SweepConfig {
            schedule: reader
                .text("sweep.schedule")
                .map(|(text, _)| text)
                .unwrap_or_default(),
            tolerate_outage_ms: hours("sweep.tolerate_outage_hours", 0),
            min_age_ms: minutes("sweep.min_age_minutes"),
        },
        settlement: SettlementPolicy {
            on_decline: reader.read(
                "settlement.on_decline",
                DeclinePolicy::CaptureAuthorized,
                decline_policy,
            ),
            max_probes: reader.number("settlement.max_probes", 0, 100),
            min_gain_percent: reader.number("settlement.min_gain_percent", 0, 100),
            transactional_data_proves_capture: reader
                .truth("settlement.transactional_data_proves_capture"),
        },
        debt: debt(reader),
        evidence_missing_after_ms: hours("reconcile.evidence_hours", 1),
        file_mode: reader.read("output.file_mode", 0o640, file_mode),
        dir_mode: reader.read("output.dir_mode", 0o750, dir_mode),
        mail: mail(reader),
        stores: stores(reader, &company, &expects),
        processors: processors::read(reader, lifetime_ms, margin_ms),
        exports: exports::read(reader),
        company: company.calendar,
        file,
        layers,
    }
}

fn payment_service(reader: &Reader<'_>) -> PaymentServiceConfig {
    PaymentServiceConfig {
        endpoint: reader.optional("payment_service.endpoint", places::endpoint),
        region: reader.optional("payment_service.region", places::region),
        calls_per_1000_seconds: reader.read(
            "payment_service.requests_per_second",
            10_000,
            calls_per_1000_seconds,
        ),
        burst: reader.number("payment_service.burst", 1, 1_000_000),
        max_in_flight: reader.number("payment_service.max_in_flight", 1, 10_000),
        timeout: Duration::from_secs(reader.number("payment_service.timeout_seconds", 1, 600)),
        batch_size: reader.number("payment_service.batch_size", 1, 100_000),
    }
}

fn debt(reader: &Reader<'_>) -> DebtConfig {
    let key = "debt.write_off_up_to";
    let mut limits = BTreeMap::new();
    for text in reader.list(key) {
        match limit(&text) {
            Ok(limit) if limits.insert(limit.currency(), limit).is_none() => {}
            Ok(limit) => {
                let why = format!("names {} twice", limit.currency());
                reader.wrong_key(key, &why);
            }
            Err(why) => reader.wrong_key(key, &why),
        }
    }
    DebtConfig {
        write_off_up_to: limits,
        write_off_after_days: reader.number("debt.write_off_after_days", 0, MOST_DAYS),
    }
}

/// An amount above zero and its currency.
fn limit(text: &str) -> Result<Money, String> {
    let like = "an amount and its currency such as 1.00 USD";
    let (amount, currency) = text
        .split_once(' ')
        .ok_or_else(|| format!("`{text}` is not {like}"))?;
    let currency = Currency::of(currency.trim()).map_err(|why| why.to_string())?;
    let limit = Money::parse(amount, currency).map_err(|why| why.to_string())?;
    match limit.is_positive() {
        true => Ok(limit),
        false => Err(format!("`{text}` is no limit; leave {currency} out")),
    }
}

fn mail(reader: &Reader<'_>) -> Option<MailConfig> {
    let given = |key| reader.optional(key, |text| Ok(text.to_owned()));
    let text = |key| given(key).filter(|text| !text.is_empty());
    let url = reader.optional("mail.url", |text| match text {
        "" => Ok(None),
        text => MailUrl::parse(text)
            .map(Some)
            .map_err(|error| error.to_string()),
    });
    let mail = MailConfig {
        from: text("mail.from").unwrap_or_default(),
        to: reader.list("mail.to"),
        username: text("mail.username"),
        password_file: reader.path("mail.password_file"),
        attach: reader.truth("mail.attach"),
        max_attach_bytes: reader.number("mail.max_attach_bytes", 0, MOST_ATTACHED_BYTES),
        url: url.flatten()?,
    };
    let url = reader.layers.place_of("mail.url");
    let unset = |key, like| {
        let why = format!("is not set but mail.url is; e.g. {like}");
        reader.wrong(key, &url, &why);
    };
    if mail.from.is_empty() {
        unset("mail.from", "tripsettle@example.com");
    }
    if mail.to.is_empty() {
        unset("mail.to", "finance@example.com");
    }
    Some(mail)
}

fn stores(reader: &Reader<'_>, company: &Day, usual: &Expects) -> BTreeMap<StoreId, StoreConfig> {
    let mut stores = BTreeMap::new();
    for name in reader.layers.names("store") {
        let section = format!("store.{name}");
        let key = |leaf: &str| format!("{section}.{leaf}");
        let id = match StoreId::of(&name) {
            Ok(id) => id,
            Err(error) => {
                reader.wrong_key(&section, &error.to_string());
                continue;
            }
        };
        let processor = |text: &str| ProcessorName::of(text).map_err(|error| error.to_string());
        let store = StoreConfig {
            calendar: Day::read(reader, &section, company).calendar,
            expects: Expects::read(reader, &section, usual),
            processor: reader.optional(&key("processor"), processor),
            on_decline: reader.optional(&key("on_decline"), decline_policy),
        };
        stores.insert(id, store);
    }
    stores
}

fn decline_policy(text: &str) -> Result<DeclinePolicy, String> {
    DeclinePolicy::of(text)
        .ok_or_else(|| format!("`{text}` is not one of write_off, capture_authorized, search"))
}

/// Reads a rate such as `10` or `0.5` without ever making a float.
fn calls_per_1000_seconds(text: &str) -> Result<u64, String> {
    let rate = text.parse::<rust_decimal::Decimal>().ok();
    let per_1000 = rate.and_then(|rate| rate.checked_mul(1000.into()));
    let whole = per_1000.filter(rust_decimal::Decimal::is_integer);
    let fits = whole
        .and_then(|rate| u64::try_from(rate).ok())
        .filter(|rate| (1..=100_000_000).contains(rate));
    fits.ok_or_else(|| format!("`{text}` is not a rate from 0.001 to 100000 such as 10 or 0.5"))
}

fn file_mode(text: &str) -> Result<u32, String> {
    mode(text, 0o600).ok_or_else(|| {
        let allowed = "a mode from 0600 to 0777 such as 0640";
        format!("`{text}` is not {allowed} that lets its owner read and write")
    })
}

fn dir_mode(text: &str) -> Result<u32, String> {
    mode(text, 0o700).ok_or_else(|| {
        let allowed = "a mode from 0700 to 0777 such as 0750";
        format!("`{text}` is not {allowed} that lets its owner in")
    })
}

/// Reads a mode in octal that has at least the bits of `owner`.
fn mode(text: &str, owner: u32) -> Option<u32> {
    let mode = u32::from_str_radix(text, 8).ok()?;
    (mode <= 0o777 && mode & owner == owner).then_some(mode)
}
