//! Why there are no keys to sign with: nobody has any for us, or nobody hands them out just now.

use std::error::Error as _;

use aws_config::meta::ProviderChainError;
use aws_credential_types::provider::error::CredentialsError;

use super::words::{line, with_causes};

/// The longest reason, in characters: AWS's own layers take up much of one.
const LONGEST: usize = 400;
/// How AWS says that it will not hand out credentials, however often it is asked.
const REFUSALS: [&str; 7] = [
    "AccessDenied",
    "ExpiredToken",
    "IDPRejectedClaim",
    "InvalidClientTokenId",
    "RegionDisabledException",
    "SignatureDoesNotMatch",
    "UnrecognizedClientException",
];
/// How AWS's chain says that the metadata service did not answer.
const NO_METADATA: &str = "could not communicate with IMDS";

const SET_UP: &str = "set AWS_ACCESS_KEY_ID and AWS_SECRET_ACCESS_KEY, AWS_PROFILE, or a role";
/// Elsewhere than on EC2 the metadata service's address is as silent as a busy one, or as one that
/// a container is too far away from: what it is, a person has to say.
const SET_UP_OR_WAIT: &str = "set AWS_ACCESS_KEY_ID and AWS_SECRET_ACCESS_KEY, AWS_PROFILE, or a \
    role; if this is EC2, its metadata service did not answer: try again, and in a container raise \
    its hop limit";
const MEND: &str = "mend it (~/.aws, or what AWS_CONFIG_FILE and AWS_SHARED_CREDENTIALS_FILE name)";
const BE_LET: &str =
    "look at the role's trust policy, and at the keys or the token that it is asked with";

/// Why there are no keys to sign with.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum NoKeys {
    /// None are set up, or not so that they could work: asking again brings none.
    NotSetUp {
        /// What is missing or wrong, and where.
        why: String,
        /// What to do about it.
        mend: &'static str,
    },
    /// They are set up, but whoever hands them out did not, and may later.
    NotHandedOut(String),
}

impl NoKeys {
    /// What `error` comes to. Where keys were handed out before there is somebody who does it,
    /// although nobody is found now.
    pub(super) fn of(error: &CredentialsError, had_some: bool) -> Self {
        let all = with_causes(error);
        let why = line(&all, LONGEST);
        let (why, mend) = match error {
            CredentialsError::CredentialsNotLoaded(_) if !had_some => {
                let is_silent = all.contains(NO_METADATA);
                let mend = if is_silent { SET_UP_OR_WAIT } else { SET_UP };
                let why = format!("no AWS credentials are set up: {}", tried(error));
                (why, mend)
            }
            CredentialsError::InvalidConfiguration(_) => {
                (format!("the AWS configuration is not right: {why}"), MEND)
            }
            _ if REFUSALS.iter().any(|code| all.contains(code)) => (
                format!("AWS refuses to hand out credentials: {why}"),
                BE_LET,
            ),
            // The enum is not ours and may grow: whatever else happens may pass.
            _ => return Self::NotHandedOut(format!("no AWS credentials were handed out: {why}")),
        };
        Self::NotSetUp { why, mend }
    }
}

/// Each place of the chain with what was not there, without AWS's own words around it.
fn tried(error: &CredentialsError) -> String {
    let cause = error.source();
    let chain =
        cause.and_then(|cause| cause.downcast_ref::<ProviderChainError<CredentialsError>>());
    let Some(chain) = chain else {
        return line(&with_causes(error), LONGEST);
    };
    let attempts = chain.attempts().iter().map(|attempt| {
        let cause = attempt.error().source();
        let cause = cause.map_or_else(|| attempt.error().to_string(), with_causes);
        format!("{}: {cause}", attempt.name())
    });
    line(&attempts.collect::<Vec<_>>().join("; "), LONGEST)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_waiting_mends_is_told_from_what_it_does_not() {
        let refused = || {
            let said = "unhandled error (AccessDenied): not authorized to perform: sts:AssumeRole";
            CredentialsError::provider_error(said)
        };
        let nobody = CredentialsError::not_loaded_no_source;
        let silent = || CredentialsError::not_loaded(NO_METADATA);
        let broken = || CredentialsError::invalid_configuration("line 3");
        let down = || CredentialsError::provider_error("HTTP 503");
        let rows = [
            // error, some were handed out before, what is said, what to do when waiting is no use
            (nobody(), false, "are set up: the credential", Some(SET_UP)),
            (silent(), false, NO_METADATA, Some(SET_UP_OR_WAIT)),
            (silent(), true, NO_METADATA, None),
            (broken(), false, "not right: ", Some(MEND)),
            (broken(), true, "line 3", Some(MEND)),
            (refused(), false, "AWS refuses", Some(BE_LET)),
            (refused(), true, "sts:AssumeRole", Some(BE_LET)),
            (down(), false, "HTTP 503", None),
        ];
        for (error, had_some, words, expected) in rows {
            let (why, mend) = match NoKeys::of(&error, had_some) {
                NoKeys::NotSetUp { why, mend } => (why, Some(mend)),
                NoKeys::NotHandedOut(why) => (why, None),
            };
            assert!(why.contains(words), "{words}: {why}");
            assert_eq!(mend, expected, "{why}");
        }
    }
}
