//! The command line: parse, wire, print, exit; what a command does is decided elsewhere.

mod answers;
pub mod args;
mod author;
mod backup;
mod check;
mod debt;
pub mod debt_args;
mod debt_file;
mod demo;
mod exit;
mod list;
pub mod logging;
mod night;
mod plan;
mod print;
mod progress;
mod rule;
mod rulings;
mod sandbox;
mod show;
mod signals;
mod state;
mod status;
mod verify;
mod wire;

use std::io::Write as _;
use std::path::Path;
use std::sync::Arc;

use clap::Parser;

use crate::config::{Config, DEFAULT_FILE};
use crate::domain::Clock;

use args::{Cli, Command, ConfigCommand};
use exit::Failure;
use print::Output;

/// Runs the command that was typed; gives the exit code.
pub fn start(clock: Arc<dyn Clock>) -> u8 {
    if is_version_alone() {
        let version = concat!(env!("CARGO_PKG_NAME"), " ", env!("CARGO_PKG_VERSION"));
        // As with clap: nobody who closes the pipe is told so.
        let _ = writeln!(std::io::stdout(), "{version}");
        return 0;
    }
    crate::payment_service::install_tls();
    let cli = match Cli::try_parse() {
        Ok(cli) => cli,
        Err(error) => {
            let _ = error.print();
            return u8::try_from(error.exit_code()).unwrap_or(2);
        }
    };
    let output = Output::new(cli.json, cli.quiet);
    let wish = std::env::var("TRIPSETTLE_LOG").ok();
    let done = logging::start(wish.as_deref(), cli.quiet)
        .map_err(Failure::configuration)
        .and_then(|()| runtime()?.block_on(command(cli, clock, &output)));
    output.ended(done.unwrap_or_else(|failure| {
        output.failure(&failure);
        failure.code
    }))
}

/// Asked often, and by machines: what all commands take and what TLS needs is not made for it.
fn is_version_alone() -> bool {
    let mut words = std::env::args_os().skip(1);
    let word = words.next();
    words.next().is_none() && word.is_some_and(|word| word == "--version" || word == "-V")
}

fn runtime() -> Result<tokio::runtime::Runtime, Failure> {
    let runtime = tokio::runtime::Builder::new_multi_thread()
        .enable_all()
        .build();
    runtime.map_err(|why| Failure {
        code: 74,
        message: format!("no threads to work with: {why}"),
    })
}

async fn command(cli: Cli, clock: Arc<dyn Clock>, output: &Output) -> Result<u8, Failure> {
    let flag = cli.config;
    let load = || load(flag.as_deref());
    let now = clock.now();
    match cli.command {
        Command::Init(args) => state::init(&*load()?, &args, now, output),
        Command::Import(args) => night::import(load()?, &args, now, output),
        Command::Run(args) => night::run(load()?, args, clock, output).await,
        Command::Settle(args) => night::settle(load()?, args, clock, output).await,
        Command::Backfill(args) => night::backfill(load()?, args, clock, output).await,
        Command::Plan => plan::plan(&*load()?, now, output),
        Command::Status(args) => status::status(&*load()?, &args, now, output),
        Command::Show(args) => show::show(&*load()?, &args, now, output),
        Command::Rule(args) => rule::rule(&*load()?, args, now, output),
        Command::Debt(wish) => debt::debt(&*load()?, wish, now, output),
        Command::Check => check::check(load()?, clock, output).await,
        Command::Backup(args) => backup::backup(&*load()?, &args, now, output),
        Command::Verify(args) => verify::verify(&*load()?, &args, output),
        Command::Config(ConfigCommand::Generate) => {
            output.text(DEFAULT_FILE);
            Ok(0)
        }
        Command::Config(ConfigCommand::Show) => {
            output.config(&*load()?);
            Ok(0)
        }
        Command::Sandbox(args) => sandbox::serve(&args, output).await,
        Command::Demo(args) => demo::demo(&args, clock, output).await,
    }
}

fn load(flag: Option<&Path>) -> Result<Arc<Config>, Failure> {
    let mut environment = Vec::new();
    for (name, value) in std::env::vars_os() {
        // A name that is not text is none of ours; a value of ours that is not would be missed.
        match (name.into_string(), value.into_string()) {
            (Ok(name), Ok(value)) => environment.push((name, value)),
            (Ok(name), Err(_)) if name.starts_with("TRIPSETTLE_") => {
                let why = format!("{name} (environment) is not UTF-8 text");
                return Err(Failure::configuration(why));
            }
            (Ok(_) | Err(_), _) => {}
        }
    }
    let cwd = std::env::current_dir().map_err(|why| Failure {
        code: 74,
        message: format!("no current folder: {why}"),
    })?;
    Ok(Arc::new(Config::load(flag, &environment, &cwd)?))
}
