//! AWS credentials: found where AWS's own tools find them, and renewed while we run.

use std::sync::{Mutex, MutexGuard, PoisonError};
use std::time::{Duration, UNIX_EPOCH};

use aws_config::Region;
use aws_credential_types::Credentials as Keys;
use aws_credential_types::provider::ProvideCredentials;

use super::ServiceError;
use super::chain::Chain;
use super::endpoint::checked_region;
use super::no_keys::NoKeys;
use super::words::causes;
use crate::domain::Timestamp;

/// Keys with less life than this left are renewed.
const RENEW_MS: i64 = 5 * 60_000;
/// While the old keys are still good, a renewal is tried once in so long.
const PATIENCE_MS: i64 = 30_000;

/// What requests are signed with. Its `Debug` shows no secret.
#[derive(Debug)]
pub struct Credentials {
    source: Box<dyn ProvideCredentials>,
    held: Mutex<Held>,
    renewing: tokio::sync::Mutex<()>,
}

#[derive(Debug, Default)]
struct Held {
    keys: Option<Keys>,
    not_again_before: Option<Timestamp>,
}

/// How far the keys at hand can be used.
enum Usable {
    Fresh(Keys),
    Ageing(Keys),
    No,
}

impl Credentials {
    /// AWS's default chain: environment, profile, web identity, ECS, EC2.
    ///
    /// Nothing is looked up before the first call needs it, so that a run with nothing to do asks
    /// nobody; after that the keys are kept, and renewed before they expire. `connect_timeout` is
    /// for AWS's token and login services.
    ///
    /// # Errors
    /// [`ServiceError::Region`].
    pub fn from_chain(region: &str, connect_timeout: Duration) -> Result<Self, ServiceError> {
        let region = Region::new(checked_region(region)?.to_owned());
        Ok(Self::of(Chain::new(region, connect_timeout)))
    }

    /// Keys that never change, for the demo and for tests.
    pub fn fixed(access_key: &str, secret_key: &str, session_token: Option<&str>) -> Self {
        let token = session_token.map(str::to_owned);
        Self::of(Keys::new(access_key, secret_key, token, None, "fixed"))
    }

    pub(super) fn of(source: impl ProvideCredentials + 'static) -> Self {
        let source = Box::new(source);
        let (held, renewing) = Default::default();
        Self {
            source,
            held,
            renewing,
        }
    }

    /// The keys to sign with at `now`.
    ///
    /// Near their end one caller renews them while the others go on with the old ones; once they
    /// have expired everybody waits for the new ones.
    pub(super) async fn keys(&self, now: Timestamp) -> Result<Keys, NoKeys> {
        let at_hand = self.held().usable(now);
        let _renewing = match at_hand {
            Usable::Fresh(keys) => return Ok(keys),
            Usable::Ageing(keys) => match self.renewing.try_lock() {
                Ok(renewing) => renewing,
                Err(_) => return Ok(keys),
            },
            Usable::No => self.renewing.lock().await,
        };
        // Somebody else may have renewed them meanwhile.
        let at_hand = self.held().usable(now);
        let old = match at_hand {
            Usable::Fresh(keys) => return Ok(keys),
            Usable::Ageing(keys) => Some(keys),
            Usable::No => None,
        };
        self.held().not_again_before = Some(now.plus_ms(PATIENCE_MS));
        let handed_out = self.source.provide_credentials().await;
        match (handed_out, old) {
            (Ok(keys), _) => {
                self.held().keys = Some(keys.clone());
                Ok(keys)
            }
            (Err(error), Some(keys)) => {
                let why = causes(&error);
                tracing::warn!(why, "the AWS credentials could not be renewed yet");
                Ok(keys)
            }
            (Err(error), None) => {
                let had_some = self.held().keys.is_some();
                Err(NoKeys::of(&error, had_some))
            }
        }
    }

    fn held(&self) -> MutexGuard<'_, Held> {
        self.held.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Held {
    fn usable(&self, now: Timestamp) -> Usable {
        let Some(keys) = self.keys.clone() else {
            return Usable::No;
        };
        let expiry = keys.expiry().map(|at| at.duration_since(UNIX_EPOCH));
        let Some(since_epoch) = expiry else {
            return Usable::Fresh(keys);
        };
        let at = since_epoch.map_or(0, |d| i64::try_from(d.as_millis()).unwrap_or(i64::MAX));
        let left = Timestamp::of_ms(at).ms_since(now);
        let patient = self.not_again_before.is_some_and(|then| now < then);
        match left {
            ..=0 => Usable::No,
            ..=RENEW_MS if !patient => Usable::Ageing(keys),
            _ => Usable::Fresh(keys),
        }
    }
}

#[cfg(test)]
mod tests {
    use std::sync::Arc;

    use aws_credential_types::provider::error::CredentialsError;
    use tokio::sync::Semaphore;

    use aws_credential_types::provider::future;

    use super::*;

    const MINUTE: i64 = 60_000;

    type Failure = fn() -> CredentialsError;

    /// Hands out keys `k1`, `k2`, … that live for 20 minutes of the tests' time, one for each
    /// permit; or fails.
    #[derive(Debug, Clone)]
    struct Office {
        asked: Arc<Mutex<u32>>,
        hands: Arc<Semaphore>,
        fails: Arc<Mutex<Option<Failure>>>,
    }

    impl Office {
        fn open(permits: usize) -> Self {
            Self {
                asked: Arc::default(),
                hands: Arc::new(Semaphore::new(permits)),
                fails: Arc::default(),
            }
        }

        fn asked(&self) -> u32 {
            *self.asked.lock().unwrap()
        }
    }

    impl ProvideCredentials for Office {
        fn provide_credentials<'a>(&'a self) -> future::ProvideCredentials<'a>
        where
            Self: 'a,
        {
            future::ProvideCredentials::new(async {
                let asked = {
                    let mut asked = self.asked.lock().unwrap();
                    *asked += 1;
                    *asked
                };
                self.hands.acquire().await.unwrap().forget();
                if let Some(error) = *self.fails.lock().unwrap() {
                    return Err(error());
                }
                let expiry = UNIX_EPOCH + Duration::from_secs(u64::from(asked) * 20 * 60);
                Ok(Keys::new(
                    format!("k{asked}"),
                    "secret",
                    None,
                    Some(expiry),
                    "office",
                ))
            })
        }
    }

    fn at(minute: i64) -> Timestamp {
        Timestamp::of_ms(minute * MINUTE)
    }

    async fn key(credentials: &Credentials, minute: i64) -> String {
        let keys = credentials.keys(at(minute)).await.unwrap();
        keys.access_key_id().to_owned()
    }

    #[tokio::test]
    async fn keys_are_asked_for_at_the_first_call_kept_and_renewed_before_they_expire() {
        let office = Office::open(10);
        let credentials = Credentials::of(office.clone());
        assert_eq!(office.asked(), 0, "an idle run asks nobody");
        let rows = [
            (0, "k1", 1),
            (14, "k1", 1),
            (16, "k2", 2),
            (34, "k2", 2),
            (90, "k3", 3),
        ];
        for (minute, name, asked) in rows {
            assert_eq!(key(&credentials, minute).await, name, "minute {minute}");
            assert_eq!(office.asked(), asked, "minute {minute}");
        }
    }

    #[tokio::test]
    async fn while_one_lane_renews_the_others_go_on_with_the_old_keys() {
        let office = Office::open(1);
        let credentials = Credentials::of(office.clone());
        assert_eq!(key(&credentials, 0).await, "k1");
        let renewing = key(&credentials, 16);
        let others = async {
            let names = (key(&credentials, 16).await, key(&credentials, 16).await);
            office.hands.add_permits(1);
            names
        };
        let (renewed, others) = tokio::join!(renewing, others);
        assert_eq!((renewed.as_str(), office.asked()), ("k2", 2));
        assert_eq!(others, ("k1".to_owned(), "k1".to_owned()));
    }

    #[tokio::test]
    async fn a_renewal_that_fails_is_not_tried_at_every_call_and_ends_nothing_early() {
        let office = Office::open(100);
        let credentials = Credentials::of(office.clone());
        assert_eq!(key(&credentials, 0).await, "k1");
        *office.fails.lock().unwrap() = Some(|| CredentialsError::provider_error("STS is down"));
        for _ in 0..5 {
            assert_eq!(key(&credentials, 16).await, "k1");
        }
        assert_eq!(
            (key(&credentials, 17).await.as_str(), office.asked()),
            ("k1", 3)
        );
        let error = credentials.keys(at(21)).await.unwrap_err();
        assert!(matches!(&error, NoKeys::NotHandedOut(why) if why.contains("STS is down")));
    }

    #[tokio::test]
    async fn who_had_credentials_is_not_told_to_set_some_up() {
        let office = Office::open(100);
        let credentials = Credentials::of(office.clone());
        *office.fails.lock().unwrap() = Some(CredentialsError::not_loaded_no_source);
        let error = credentials.keys(at(0)).await.unwrap_err();
        assert!(matches!(error, NoKeys::NotSetUp { .. }), "{error:?}");
        *office.fails.lock().unwrap() = None;
        assert_eq!(key(&credentials, 0).await, "k2");
        *office.fails.lock().unwrap() = Some(CredentialsError::not_loaded_no_source);
        let error = credentials.keys(at(41)).await.unwrap_err();
        assert!(matches!(error, NoKeys::NotHandedOut(_)), "{error:?}");
    }

    #[tokio::test]
    async fn fixed_keys_never_change_and_are_never_shown() {
        let credentials = Credentials::fixed("AKIDEXAMPLE", "hush-key", Some("hush-token"));
        assert_eq!(key(&credentials, 0).await, "AKIDEXAMPLE");
        assert_eq!(key(&credentials, 1_000_000).await, "AKIDEXAMPLE");
        assert!(!format!("{credentials:?}").contains("hush"));
    }
}
