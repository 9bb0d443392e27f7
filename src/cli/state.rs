//! State: precious. It is created when nothing was ever here, and never silently a second time.

use std::path::Path;
use std::time::Duration;

use crate::config::Config;
use crate::domain::Timestamp;
use crate::run::restore::{Restored, begin_after_loss, published_by_a_newer, restore};
use crate::store::{Lock, Store, StoreError};

use super::args::InitArgs;
use super::exit::Failure;
use super::print::Output;

/// Opens the state; creates it when neither files nor taken trips say that there was one.
pub fn open(config: &Config, now: Timestamp) -> Result<Store, Failure> {
    if Store::exists(&config.state_dir)? {
        return in_force(config, Store::open(&config.state_dir)?);
    }
    if let Some(trace) = trace(config)? {
        return Err(missing(config, &trace));
    }
    let created = Store::create(&config.state_dir, now, None);
    if matches!(created, Err(StoreError::Exists(_))) {
        // Another command created it in the same moment, and it holds nothing yet.
        return Ok(Store::open(&config.state_dir)?);
    }
    Ok(created?)
}

/// Opens the state as it is, to read it only.
pub fn open_to_read(config: &Config) -> Result<Store, Failure> {
    if !Store::exists(&config.state_dir)?
        && let Some(trace) = trace(config)?
    {
        return Err(missing(config, &trace));
    }
    Ok(Store::open_to_read(&config.state_dir)?)
}

/// Refuses a state that is older than what happened: what was captured since is not in it.
pub fn in_force(config: &Config, store: Store) -> Result<Store, Failure> {
    let dir = config.state_dir.display();
    let older = match (store.is_backup()?, published_by_a_newer(config, &store)?) {
        (Some(made), _) => format!("{dir} is a backup of {made}"),
        (None, Some(edition)) => {
            format!("{dir} is older than {edition}, which was published and which it does not know")
        }
        (None, None) => return Ok(store),
    };
    let message = format!(
        "{older}: what happened since is not in it. Stop all runs. If there is a newer state, put \
         its whole folder in place, with its own tripsettle.db-wal. If not: `tripsettle init \
         --after-restore`, after which every trip that is open in it is in doubt, so that nothing \
         is captured twice"
    );
    Err(Failure { code: 65, message })
}

/// `init --after-restore`.
fn after_restore(config: &Config, now: Timestamp, output: &Output) -> Result<u8, Failure> {
    if !Store::exists(&config.state_dir)? {
        let message = "there is no state; stop all runs and put the backup in place as \
                       tripsettle.db in state_dir, alone, without tripsettle.db-wal and \
                       tripsettle.db-shm";
        return Err(Failure::usage(message));
    }
    let _lock = Lock::acquire(&config.state_dir, Duration::ZERO)?;
    let store = Store::open(&config.state_dir)?;
    let restored = restore(config, &store, now)?;
    let dir = config.state_dir.display();
    let (doubted, are) = match restored.doubted {
        1 => ("1 open trip".to_owned(), "is"),
        count => (format!("{count} open trips"), "are"),
    };
    output.word(&format!(
        "{dir} is in force again; {doubted} {are} in doubt now, and so will be every trip \
         that began before {now} when it is imported.\n`tripsettle status` names them; a \
         processor's report or `rule` ends a doubt{}",
        by_hand(config, &restored)
    ));
    Ok(0)
}

/// What no program can do after a restore.
fn by_hand(config: &Config, restored: &Restored) -> String {
    let mut text = format!(
        "\nTrip files that were taken since the copy was made are not in it, nor are rulings and \
         `debt` commands: give them again, the files by `tripsettle import {}/*` (what is known is \
         passed over)",
        config.inbox_dir.join("taken").display()
    );
    let mut tell = |line: &str| {
        text.push('\n');
        text.push_str(line);
    };
    for day in &restored.again {
        for line in &day.by_hand {
            tell(&format!("  {}: {line}", day.date));
        }
    }
    let days: Vec<String> = restored
        .again
        .iter()
        .map(|day| day.date.to_string())
        .collect();
    if let Some(first) = days.first() {
        let (days, out) = (days.join(", "), config.output_dir.display());
        let ids = first.replace('-', "");
        tell(&format!(
            "Published since, and closed again by the next run: {days}.\nTheir postings come again \
             under the same numbers (JE-{ids}-000001 …) with other content, which a target takes \
             for what it has:\nbefore that run, void in your accounting what was imported of these \
             days, and move their folders out of {out}"
        ));
    }
    text
}

fn missing(config: &Config, trace: &str) -> Failure {
    let state = config.state_dir.display();
    let message = format!(
        "state is missing: {state} holds no database, but {trace}; stop all runs, and restore the \
         backup or mend state_dir. Only if it is lost for good: `tripsettle init --after-loss`, \
         after which every trip from before is in doubt, so that nothing is captured twice"
    );
    Failure { code: 65, message }
}

/// `init`.
pub fn init(
    config: &Config,
    args: &InitArgs,
    now: Timestamp,
    output: &Output,
) -> Result<u8, Failure> {
    if args.after_restore {
        return after_restore(config, now, output);
    }
    let dir = config.state_dir.display();
    if Store::exists(&config.state_dir)? {
        if args.after_loss && is_begun_after_loss(config)? {
            begin_after_loss(config, &Store::open(&config.state_dir)?)?;
            output.word(&format!("{dir} is new, and knows that a state was lost"));
            return Ok(0);
        }
        if args.after_loss {
            let message = format!(
                "{dir} holds a database: nothing is lost, nothing was changed. If `tripsettle \
                 verify` says that it is damaged and there is no backup, stop all runs and move \
                 tripsettle.db, tripsettle.db-wal and tripsettle.db-shm away first"
            );
            return Err(Failure { code: 65, message });
        }
        Store::open(&config.state_dir)?;
        output.word(&format!(
            "{dir} holds a database already; nothing was changed"
        ));
        return Ok(0);
    }
    if let (Some(trace), false) = (trace(config)?, args.after_loss) {
        return Err(missing(config, &trace));
    }
    // A run that still has the lost state open must not be handed this one.
    let lock = args
        .after_loss
        .then(|| Lock::acquire(&config.state_dir, Duration::ZERO));
    let _lock = lock.transpose()?;
    let store = Store::create(&config.state_dir, now, args.after_loss.then_some(now))?;
    if args.after_loss {
        begin_after_loss(config, &store)?;
    }
    match args.after_loss {
        false => output.word(&format!("created {dir}")),
        true => output.word(&format!(
            "created {dir}; every trip that began before {now} will be in doubt when it is \
             imported.\nGive the files that were taken again: `tripsettle import {}/*`",
            config.inbox_dir.join("taken").display()
        )),
    }
    Ok(0)
}

/// True for a state that `init --after-loss` made and that holds nothing yet: it may have been
/// stopped in the middle, and what it did can be done again.
fn is_begun_after_loss(config: &Config) -> Result<bool, Failure> {
    let store = Store::open(&config.state_dir)?;
    Ok(store.lost_before()?.is_some() && store.last_seq()? == 0)
}

/// What shows that there was a state once. A folder that cannot be read is no proof of nothing.
fn trace(config: &Config) -> Result<Option<String>, Failure> {
    let taken = config.inbox_dir.join("taken");
    if !names(&taken)?.is_empty() {
        return Ok(Some(format!(
            "{} holds trip files that were taken",
            taken.display()
        )));
    }
    let is_edition = |name: &String| {
        let number = name.strip_prefix('e').map(str::parse::<u32>);
        number.is_some_and(|number| number.is_ok())
    };
    for day in names(&config.output_dir)? {
        let day = config.output_dir.join(day);
        if day.is_dir() && names(&day)?.iter().any(is_edition) {
            return Ok(Some(format!("{} holds published files", day.display())));
        }
    }
    Ok(None)
}

fn names(dir: &Path) -> Result<Vec<String>, Failure> {
    let failed = |why: std::io::Error| Failure {
        code: 74,
        message: format!(
            "{} cannot be read: {why}; is there state to be found?",
            dir.display()
        ),
    };
    let entries = match std::fs::read_dir(dir) {
        Ok(entries) => entries,
        Err(why) if why.kind() == std::io::ErrorKind::NotFound => return Ok(Vec::new()),
        Err(why) => return Err(failed(why)),
    };
    let name = |entry: std::fs::DirEntry| entry.file_name().to_string_lossy().into_owned();
    entries
        .map(|entry| entry.map(name).map_err(failed))
        .collect()
}
