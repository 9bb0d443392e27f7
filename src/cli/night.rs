//! `run`, `settle`, `backfill` and `import`.

use std::io::ErrorKind;
use std::sync::Arc;

use crate::config::Config;
use crate::domain::{Clock, Timestamp};
use crate::run::import::Importer;
use crate::run::report::RunReport;
use crate::run::{self, RunError, schedule};

use super::args::{BackfillArgs, ImportArgs, RunArgs, WaitArgs};
use super::exit::Failure;
use super::print::Output;
use super::wire::{self, Locked};

/// `run`.
pub async fn run(
    config: Arc<Config>,
    args: RunArgs,
    clock: Arc<dyn Clock>,
    output: &Output,
) -> Result<u8, Failure> {
    let locked = lock(config, clock, args.wait, output).await?;
    warn_of_schedule(&locked);
    ended(
        run::run(&locked.house, wire::run_id()?, args.close).await?,
        output,
    )
}

/// `settle`.
pub async fn settle(
    config: Arc<Config>,
    args: WaitArgs,
    clock: Arc<dyn Clock>,
    output: &Output,
) -> Result<u8, Failure> {
    let locked = lock(config, clock, args, output).await?;
    ended(run::settle(&locked.house, wire::run_id()?).await?, output)
}

/// `backfill`.
pub async fn backfill(
    config: Arc<Config>,
    args: BackfillArgs,
    clock: Arc<dyn Clock>,
    output: &Output,
) -> Result<u8, Failure> {
    let locked = lock(config, clock, args.wait, output).await?;
    ended(
        run::backfill(&locked.house, wire::run_id()?, args.from, args.to).await?,
        output,
    )
}

async fn lock(
    config: Arc<Config>,
    clock: Arc<dyn Clock>,
    args: WaitArgs,
    output: &Output,
) -> Result<Locked, Failure> {
    wire::locked(config, clock, args.wait_lock, output.quiet || output.json).await
}

fn warn_of_schedule(locked: &Locked) {
    let house = &locked.house;
    let warning = schedule::warning(&house.schedule, &house.config.company, house.clock.now());
    if let Some(warning) = warning {
        tracing::warn!("{warning}");
    }
}

fn ended(report: RunReport, output: &Output) -> Result<u8, Failure> {
    output.report(&report);
    Ok(report.exit_code)
}

/// `import`.
pub fn import(
    config: Arc<Config>,
    args: &ImportArgs,
    now: Timestamp,
    output: &Output,
) -> Result<u8, Failure> {
    let store = super::state::open(&config, now)?;
    let importer = Importer {
        config,
        store: &store,
        now,
        run: None,
    };
    let (mut code, mut all) = (0, Vec::new());
    for file in &args.files {
        match importer.file(file) {
            Ok(imported) => {
                let attention = imported.counts.rejected > 0 || imported.changed;
                code = code.max(if attention { 10 } else { 0 });
                all.push(imported);
            }
            // The others are taken nevertheless.
            Err(RunError::File { path, why }) if why.kind() == ErrorKind::NotFound => {
                code = code.max(74);
                let path = path.display();
                output.complaint(&format!(
                    "{path}: there is no such file; is its name right?"
                ));
            }
            Err(error @ RunError::File { .. }) => {
                let failure = Failure::from(error);
                code = code.max(failure.code);
                output.complaint(&failure.message);
            }
            Err(error) => return Err(error.into()),
        }
    }
    output.imported(&all);
    Ok(code)
}
