//! `verify`: 0 when everything is what was once written, 65 and the first place when not.

use crate::config::Config;
use crate::run::verify::{Damage, Verified, verify as verify_all};
use crate::store::Store;

use super::args::VerifyArgs;
use super::exit::Failure;
use super::print::Output;

/// `verify`.
pub fn verify(config: &Config, args: &VerifyArgs, output: &Output) -> Result<u8, Failure> {
    let store = Store::open_to_read(&config.state_dir)?;
    let found = verify_all(config, &store, &args.heads)?;
    if output.json || !output.quiet || !found.clean {
        output.either(&found, &told(&found));
    }
    Ok(if found.clean { 0 } else { 65 })
}

fn told(found: &Verified) -> String {
    let counts = format!(
        "{} trips, {} closed days, {} published files; journal {}\n",
        found.trips, found.days, found.files, found.head
    );
    if found.clean {
        return format!("everything is as it was written: {counts}");
    }
    let mut text = format!("DAMAGED, {} faults in {counts}", found.found);
    for fault in &found.faults {
        text.push_str(&format!("{fault}\n"));
    }
    text.push_str(next(found));
    text
}

/// What helps, by the first fault.
fn next(found: &Verified) -> &'static str {
    match found.faults.first().map(|fault| fault.damage) {
        Some(Damage::Truncated) => {
            "-> this state is older than what was told of it: stop all runs, look for the newer \
             one, \
             and put it back;\n   if it is lost: `tripsettle init --after-loss`\n"
        }
        Some(Damage::Added) => "-> move what nobody published out of the output folder\n",
        Some(Damage::Altered | Damage::Deleted) | None => {
            "-> a published file: move the folder of its edition away, and `tripsettle backfill \
             --from DAY --to DAY` makes it again, to the byte, in the version \
             that published it\n   anything else: stop all runs, \
             keep a copy of what is here, and restore the last backup that verifies (README)\n"
        }
    }
}
