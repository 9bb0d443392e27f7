//! Wiring: configuration, state, service and clock become a house.

use std::sync::Arc;
use std::time::Duration;

use crate::config::Config;
use crate::domain::{Clock, RunId};
use crate::mail;
use crate::payment_service::{Credentials, HttpService, HttpSettings};
use crate::run::Schedule;
use crate::run::outbox;
use crate::run::pass::House;
use crate::run::stop::Halt;
use crate::store::{Lock, Store};

use super::exit::Failure;
use super::{progress, signals};

/// The longest that connecting may take. A resolver gives a name server five seconds before it asks
/// the next one: the first may be down.
const CONNECT: Duration = Duration::from_secs(10);

/// A house, and the lock that it holds for its life.
pub struct Locked {
    /// The house.
    pub house: Arc<House<HttpService>>,
    _lock: Lock,
}

/// The planned schedule.
pub fn schedule(config: &Config) -> Result<Schedule, Failure> {
    Schedule::parse(&config.sweep.schedule).map_err(Failure::configuration)
}

/// A mail to nobody, or without its login, would be missed only when it is needed.
pub fn mail_settings(config: &Config) -> Result<(), Failure> {
    let settings = outbox::settings(config);
    let checked = settings.map_or(Ok(()), |settings| mail::check_settings(&settings));
    checked.map_err(|error| Failure::configuration(error.to_string()))
}

/// The payment service as configured.
pub fn service(config: &Config, clock: Arc<dyn Clock>) -> Result<HttpService, Failure> {
    let (endpoint, region) = config.require_service()?;
    let credentials = Credentials::from_chain(&region, CONNECT)?;
    Ok(HttpService::new(
        settings(config, endpoint, region),
        credentials,
        clock,
    )?)
}

/// How to reach a payment service at `endpoint`.
pub fn settings(config: &Config, endpoint: String, region: String) -> HttpSettings {
    HttpSettings {
        endpoint,
        region,
        timeout: config.payment_service.timeout,
        connect_timeout: CONNECT,
        max_in_flight: config.payment_service.max_in_flight,
    }
}

/// Takes the lock, then opens everything: a configuration that cannot work is told first.
pub async fn locked(
    config: Arc<Config>,
    clock: Arc<dyn Clock>,
    wait: Option<Duration>,
    quiet: bool,
) -> Result<Locked, Failure> {
    let schedule = schedule(&config)?;
    mail_settings(&config)?;
    let service = service(&config, clock.clone())?;
    let state_dir = config.state_dir.clone();
    let wait = wait.unwrap_or(Duration::ZERO);
    let lock = tokio::task::spawn_blocking(move || Lock::acquire(&state_dir, wait)).await;
    let lock = lock.map_err(|why| Failure {
        code: 1,
        message: why.to_string(),
    })??;
    let store = super::state::open(&config, clock.now())?;
    let house = house(config, store, service, clock, schedule, quiet);
    signals::stop_on_signals(&house)?;
    Ok(Locked { house, _lock: lock })
}

/// A house of its parts.
pub fn house<S>(
    config: Arc<Config>,
    store: Store,
    service: S,
    clock: Arc<dyn Clock>,
    schedule: Schedule,
    quiet: bool,
) -> Arc<House<S>> {
    let (halt, watcher) = (Halt::default(), progress::watcher(quiet));
    Arc::new(House {
        config,
        store,
        service,
        clock,
        schedule,
        halt,
        watcher,
    })
}

/// A new run's id; ids sort by time.
pub fn run_id() -> Result<RunId, Failure> {
    let id = uuid::Uuid::now_v7().to_string();
    RunId::of(&id).map_err(|why| Failure {
        code: 1,
        message: why.to_string(),
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_name_server_that_is_down_leaves_time_to_ask_the_next_one() {
        let config = Config::load(None, &[], std::path::Path::new("/nowhere")).unwrap();
        let settings = settings(&config, String::new(), String::new());
        let resolver_waits = Duration::from_secs(5);
        assert!(settings.connect_timeout.min(settings.timeout / 3) > resolver_waits);
        assert!(settings.connect_timeout <= settings.timeout / 3);
    }
}
