//! `demo`: a whole night against the sandbox, on story trips with every outcome.

mod feed;

use std::fs;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use crate::config::Config;
use crate::domain::Clock;
use crate::payment_service::{Credentials, HttpService};
use crate::run::pass::House;
use crate::run::report::RunReport;
use crate::run::{self};
use crate::sandbox::{Sandbox, SandboxConfig};

use super::args::DemoArgs;
use super::exit::Failure;
use super::print::Output;
use super::{state, wire};

/// Every file of postings; Xero's organisation is in the United States.
const EXPORTS: &str = include_str!("demo/exports.toml");

/// What shows that a folder is a demo's own and may be emptied by the next one.
const MARKER: &str = ".tripsettle-demo";

/// `demo`.
pub async fn demo(args: &DemoArgs, clock: Arc<dyn Clock>, output: &Output) -> Result<u8, Failure> {
    let dir = fresh_dir(&args.dir)?;
    let sandbox_config = SandboxConfig {
        auto_trips: true,
        ..SandboxConfig::default()
    };
    let keys = (
        sandbox_config.access_key.clone(),
        sandbox_config.secret_key.clone(),
    );
    let region = sandbox_config.region.clone();
    let listen = std::net::SocketAddr::from(([127, 0, 0, 1], 0));
    let sandbox = Sandbox::start(listen, sandbox_config).await;
    let sandbox = sandbox.map_err(|why| io_failure(&dir, &why))?;
    let trips = feed::write(&dir, clock.now()).map_err(|why| io_failure(&dir, &why))?;
    let config = configure(&dir, &sandbox.url(), &region)?;
    let service = HttpService::new(
        wire::settings(&config, sandbox.url(), region),
        Credentials::fixed(&keys.0, &keys.1, None),
        clock.clone(),
    )?;
    let store = state::open(&config, clock.now())?;
    let schedule = wire::schedule(&config)?;
    let quiet = output.quiet || output.json;
    let house = wire::house(config, store, service, clock, schedule, quiet);
    let report = run::run(&house, wire::run_id()?, None).await?;
    let again = settle_up(&house, &dir, &sandbox, &report).await?;
    sandbox.stop().await;
    tell(output, &dir, trips, &report, again.as_ref());
    Ok(if report.finished && !report.closed.is_empty() {
        0
    } else {
        1
    })
}

/// The morning after: the processor's report comes, and a backfill makes a second edition.
async fn settle_up(
    house: &Arc<House<HttpService>>,
    dir: &Path,
    sandbox: &Sandbox,
    report: &RunReport,
) -> Result<Option<RunReport>, Failure> {
    let Some(date) = report.closed.last().map(|day| day.books_date) else {
        return Ok(None);
    };
    feed::write_report(dir, sandbox, date).map_err(|why| io_failure(dir, &why))?;
    Ok(Some(
        run::backfill(house, wire::run_id()?, date, date).await?,
    ))
}

fn io_failure(dir: &Path, why: &std::io::Error) -> Failure {
    let message = format!("the demo in {} cannot be written: {why}", dir.display());
    Failure { code: 74, message }
}

/// The demo's folder, empty but for the marker; somebody else's files are never touched.
fn fresh_dir(dir: &Path) -> Result<PathBuf, Failure> {
    let failed = |why: std::io::Error| io_failure(dir, &why);
    if dir.exists() {
        let is_empty = fs::read_dir(dir).map_err(failed)?.next().is_none();
        if !is_empty && !dir.join(MARKER).exists() {
            let dir = dir.display();
            let message = format!("{dir} is not empty and no demo of ours; give another --dir");
            return Err(Failure::usage(message));
        }
        fs::remove_dir_all(dir).map_err(failed)?;
    }
    fs::create_dir_all(dir).map_err(failed)?;
    fs::write(
        dir.join(MARKER),
        "made by `tripsettle demo`, which may empty it\n",
    )
    .map_err(failed)?;
    fs::canonicalize(dir).map_err(failed)
}

fn configure(dir: &Path, url: &str, region: &str) -> Result<Arc<Config>, Failure> {
    let mail = dir.join("mail");
    let text = format!(
        "# The demo's configuration; the sandbox it names lived as long as the demo.\n\
         state_dir = \"state\"\noutput_dir = \"out\"\ninbox_dir = \"inbox\"\n\n\
         {EXPORTS}\
         [payment_service]\nendpoint = \"{url}\"\nregion = \"{region}\"\n\
         requests_per_second = 500\nburst = 50\n\n\
         [settlement]\non_decline = \"capture_authorized\"\n\n\
         [store.BERLIN]\ntimezone = \"Europe/Berlin\"\non_decline = \"search\"\n\
         location = \"Berlin Mitte\"\n\n\
         [store.TOKYO]\ntimezone = \"Asia/Tokyo\"\non_decline = \"write_off\"\n\n\
         [store.NEW_YORK]\ntimezone = \"America/New_York\"\nprocessor = \"acme\"\n\n\
         [processor.acme]\nreports_dir = \"reports\"\n\
         [processor.acme.columns]\nstore_id = \"store\"\ntrip_id = \"trip\"\n\
         amount = \"amount\"\ncurrency = \"currency\"\ndate = \"date\"\n\
         reference = \"reference\"\n\n\
         [mail]\nurl = \"file://{}\"\nfrom = \"tripsettle@example.com\"\n\
         to = [\"finance@example.com\"]\nattach = true\n",
        mail.display()
    );
    let file = dir.join("tripsettle.toml");
    fs::write(&file, text).map_err(|why| io_failure(dir, &why))?;
    let config = Config::load(Some(&file), &[], dir)?;
    Ok(Arc::new(config))
}

fn tell(output: &Output, dir: &Path, trips: usize, report: &RunReport, again: Option<&RunReport>) {
    if output.json || output.quiet {
        output.report(report);
        return;
    }
    output.line(&format!(
        "a night of {trips} trips, played against the sandbox\n"
    ));
    for day in &report.closed {
        output.text(&day.summary);
    }
    output.line("");
    output.report(report);
    output.line("\nthe next morning the processor's report came, and `backfill` made:");
    for day in again.iter().flat_map(|report| &report.closed) {
        output.line(&format!("  {}", day.path));
    }
    let dir = dir.display();
    output.line(&format!("\neverything is under {dir}:"));
    output.line(&format!("  files   {dir}/out"));
    output.line(&format!("  mail    {dir}/mail"));
    output.line(&format!("  feed    {dir}/inbox/taken"));
    output.line(&format!(
        "  look at tripsettle --config {dir}/tripsettle.toml status"
    ));
}
