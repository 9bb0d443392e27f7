//! The configuration: takes defaults, a file and the environment, gives validated values; never
//! opens what it names.

mod days;
mod exports;
mod keys;
mod layers;
mod places;
mod problem;
mod processors;
mod reader;
mod service_links;
mod show;
mod values;

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};
use std::time::Duration;

use crate::domain::{
    Calendar, Currency, DeclinePolicy, Exports, GenericCsvFormat, MailUrl, Money, ProcessorName,
    SettlementPolicy, StoreId,
};

pub use days::Expects;
pub use layers::{DEFAULT_FILE, Layers, Place, Raw};
pub use problem::{ConfigError, Problem};

use reader::Reader;

/// Everything that is configured, validated.
#[derive(Debug, Clone)]
pub struct Config {
    /// The configuration file, if there is one.
    pub file: Option<PathBuf>,
    /// The database and the lock.
    pub state_dir: PathBuf,
    /// The published files.
    pub output_dir: PathBuf,
    /// The trip files.
    pub inbox_dir: PathBuf,
    /// The payment service.
    pub payment_service: PaymentServiceConfig,
    /// Milliseconds that a payment token lives.
    pub lifetime_ms: i64,
    /// Milliseconds before its end that a trip counts as at risk.
    pub margin_ms: i64,
    /// When runs are planned, and what is due.
    pub sweep: SweepConfig,
    /// The law's parameters for stores that say nothing else.
    pub settlement: SettlementPolicy,
    /// The company's business day.
    pub company: Calendar,
    /// Bad debts that are too small to be asked for.
    pub debt: DebtConfig,
    /// Transactional data missing for longer is a break.
    pub evidence_missing_after_ms: i64,
    /// Mode of published files.
    pub file_mode: u32,
    /// Mode of the folders of published files.
    pub dir_mode: u32,
    /// Where mails go.
    pub mail: Option<MailConfig>,
    /// Stores that differ from the rest.
    pub stores: BTreeMap<StoreId, StoreConfig>,
    /// Card processors.
    pub processors: BTreeMap<ProcessorName, ProcessorConfig>,
    /// Which files of postings are made, and how.
    pub exports: Exports,
    layers: Layers,
}

/// The payment service.
#[derive(Debug, Clone)]
pub struct PaymentServiceConfig {
    /// Its URL.
    pub endpoint: Option<String>,
    /// The AWS region.
    pub region: Option<String>,
    /// Granted calls in 1000 seconds.
    pub calls_per_1000_seconds: u64,
    /// Calls at once after a quiet time.
    pub burst: u32,
    /// Calls in flight.
    pub max_in_flight: usize,
    /// How long one call may take.
    pub timeout: Duration,
    /// Trips between two looks at how it goes.
    pub batch_size: usize,
}

/// When runs are planned, and what is due.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct SweepConfig {
    /// Cron, as written; the sweep reads it.
    pub schedule: String,
    /// See `sweep.tolerate_outage_hours`.
    pub tolerate_outage_ms: i64,
    /// See `sweep.min_age_minutes`.
    pub min_age_ms: i64,
}

/// Bad debts that are too small to be asked for.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct DebtConfig {
    /// Open debts of at most so much are written off by themselves; none without an entry.
    pub write_off_up_to: BTreeMap<Currency, Money>,
    /// Once they are so many days old.
    pub write_off_after_days: i64,
}

/// Where mails go.
#[derive(Debug, Clone)]
pub struct MailConfig {
    /// The server or folder.
    pub url: MailUrl,
    /// The sender.
    pub from: String,
    /// The recipients.
    pub to: Vec<String>,
    /// The login; whoever sends mail needs both halves of it, others neither.
    pub username: Option<String>,
    /// The file with the password, which a service manager may give to the night alone.
    pub password_file: Option<PathBuf>,
    /// Attach the CSVs.
    pub attach: bool,
    /// Up to so many bytes.
    pub max_attach_bytes: u64,
}

/// A store that differs from the rest.
#[derive(Debug, Clone)]
pub struct StoreConfig {
    /// Its business day.
    pub calendar: Calendar,
    /// On which days its trips are expected.
    pub expects: Expects,
    /// Its card processor.
    pub processor: Option<ProcessorName>,
    /// Its decline policy.
    pub on_decline: Option<DeclinePolicy>,
}

/// A card processor.
#[derive(Debug, Clone)]
pub struct ProcessorConfig {
    /// Milliseconds that its payment tokens live.
    pub lifetime_ms: i64,
    /// Where its reports are put.
    pub reports_dir: Option<PathBuf>,
    /// How they are written.
    pub format: GenericCsvFormat,
}

impl Config {
    /// Loads the configuration: `flag`, else `$TRIPSETTLE_CONFIG`, else `tripsettle.toml` in
    /// `cwd`, else `/etc/tripsettle/tripsettle.toml`, else the defaults; then the environment.
    ///
    /// # Errors
    /// Everything that is wrong with it, at once.
    pub fn load(
        flag: Option<&Path>,
        environment: &[(String, String)],
        cwd: &Path,
    ) -> Result<Self, ConfigError> {
        let named = environment
            .iter()
            .find(|(name, path)| name == "TRIPSETTLE_CONFIG" && !path.is_empty());
        let named = flag
            .map(Path::to_owned)
            .or(named.map(|(_, path)| PathBuf::from(path)));
        let usual = [
            cwd.join("tripsettle.toml"),
            "/etc/tripsettle/tripsettle.toml".into(),
        ];
        let file = match named {
            Some(named) => Some(cwd.join(named)),
            // One that cannot be looked at is taken too, and told: it may name another state.
            None => usual
                .into_iter()
                .find(|path| path.try_exists().unwrap_or(true)),
        };
        let mut layers = Layers::defaults().map_err(ConfigError)?;
        let mut problems = Vec::new();
        if let Some(file) = &file {
            problems.extend(layers.add_file(file).err().unwrap_or_default());
        }
        layers.add_aws_region(environment);
        let added = layers.add_environment(environment);
        problems.extend(added.err().unwrap_or_default());
        let base = file
            .as_deref()
            .and_then(Path::parent)
            .unwrap_or(cwd)
            .to_owned();
        let reader = Reader {
            layers: &layers,
            base: &base,
            problems: problems.into(),
        };
        let config = values::read(&reader, file, layers.clone());
        let problems = reader.problems.into_inner();
        if problems.is_empty() {
            Ok(config)
        } else {
            Err(ConfigError(problems))
        }
    }

    /// The payment service's URL and region.
    ///
    /// # Errors
    /// One of them is not set.
    pub fn require_service(&self) -> Result<(String, String), ConfigError> {
        let missing = |key, example| ConfigError(vec![Problem::missing(key, example)]);
        let service = &self.payment_service;
        let endpoint = service
            .endpoint
            .clone()
            .ok_or_else(|| missing("payment_service.endpoint", "https://payments.example.com"))?;
        let region = service.region.clone();
        let region = region.ok_or_else(|| missing("payment_service.region", "us-east-1"))?;
        Ok((endpoint, region))
    }
}
