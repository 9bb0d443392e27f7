//! `verify`: 0 when everything is what was once written, 65 and the first place when not.

use super::args::VerifyArgs;
use super::exit::Failure;
use super::print::{Output, many};
use super::state;
use crate::config::Config;
use crate::run::verify::{Damage, Verified, verify as verify_all};

/// `verify`.
pub fn verify(config: &Config, args: &VerifyArgs, output: &Output) -> Result<u8, Failure> {
    let store = state::open_to_read(config)?;
    let found = verify_all(config, &store, &args.heads)?;
    if output.json || !output.quiet || !found.clean {
        output.either(&found, &told(&found));
    }
    Ok(if found.clean { 0 } else { 65 })
}

fn told(found: &Verified) -> String {
    let counts = format!(
        "{}, {}, {}; journal {}\n",
        many(found.trips, "trip"),
        many(found.days, "closed day"),
        many(found.files, "published file"),
        found.head
    );
    if found.clean {
        return format!("everything is as it was written: {counts}");
    }
    let mut text = format!("DAMAGED, {} in {counts}", many(found.found, "fault"));
    for fault in &found.faults {
        text.push_str(&format!("{fault}\n"));
    }
    if found.is_older {
        text.push_str(
            "-> this state is older than what was told of it: stop all runs, look for the newer \
             one, and put it in place;\n   if there is none, keep this one, or the last backup \
             that verifies, and `tripsettle init --after-restore`\n",
        );
    }
    text.push_str(next(found));
    text
}

/// What helps, by the first fault, beside what a state needs that is older.
fn next(found: &Verified) -> &'static str {
    match found.faults.first().map(|fault| fault.damage) {
        Some(Damage::Truncated) if found.is_older => "",
        Some(Damage::Added) => "-> move what does not belong there out of the output folder\n",
        Some(Damage::Altered | Damage::Deleted | Damage::Truncated) | None => {
            "-> a published file: move the folder of its edition away, and `tripsettle backfill \
             --from DAY --to DAY` makes it again, to the byte, in the version \
             that published it\n   anything else: stop all runs, \
             keep a copy of what is here, and restore the last backup that verifies (README)\n"
        }
    }
}
