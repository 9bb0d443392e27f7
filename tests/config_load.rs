//! The configuration: the manual is the defaults, every key can be set, every mistake is told.

#![allow(clippy::unwrap_used)]

mod config;

use std::collections::BTreeMap;
use std::time::Duration;

use config::{Home, blocks, problems};
use tripsettle::config::{Config, DEFAULT_FILE, Raw};
use tripsettle::domain::{Calendar, DeclinePolicy, MailUrl, SettlementPolicy};

const HOUR: i64 = 3_600_000;
const MINUTE: i64 = 60_000;

#[test]
fn without_any_file_the_documented_defaults_hold() {
    let home = Home::new();
    let config = home.load(&[]).unwrap();
    let service = &config.payment_service;
    assert_eq!(config.state_dir, home.path("state"));
    assert_eq!(config.output_dir, home.path("out"));
    assert_eq!(config.inbox_dir, home.path("inbox"));
    assert_eq!((&service.endpoint, &service.region), (&None, &None));
    assert_eq!(service.calls_per_1000_seconds, 10_000);
    assert_eq!((service.burst, service.max_in_flight), (10, 16));
    assert_eq!(service.timeout, Duration::from_secs(30));
    assert_eq!(service.batch_size, 500);
    assert_eq!(config.lifetime_ms, 46 * HOUR);
    assert_eq!(config.margin_ms, 120 * MINUTE);
    assert_eq!(config.sweep.schedule, "0 30 2 * * *");
    assert_eq!(config.sweep.tolerate_outage_ms, 20 * HOUR);
    assert_eq!(config.sweep.min_age_ms, 60 * MINUTE);
    let law = SettlementPolicy {
        on_decline: DeclinePolicy::CaptureAuthorized,
        max_probes: 4,
        min_gain_percent: 5,
        transactional_data_proves_capture: false,
    };
    assert_eq!(config.settlement, law);
    assert_eq!(config.evidence_missing_after_ms, 48 * HOUR);
    assert_eq!((config.file_mode, config.dir_mode), (0o640, 0o750));
    assert!(config.mail.is_none());
    assert!(config.stores.is_empty() && config.processors.is_empty());
    let (company, utc) = (&config.company, Calendar::utc());
    let noon = tripsettle::domain::Timestamp::of_ms(1_800_000_000_000);
    assert_eq!(
        company.start_of(company.date_of(noon)),
        utc.start_of(utc.date_of(noon))
    );
}

#[test]
fn the_manual_written_to_a_file_is_exactly_the_defaults() {
    let home = Home::new();
    let defaults = home.load(&[]).unwrap();
    home.write("tripsettle.toml", DEFAULT_FILE);
    let from_file = home.load(&[]).unwrap();
    assert_eq!(from_file.file, Some(home.path("tripsettle.toml")));
    assert_eq!(plain(&from_file), plain(&defaults));
    assert!(
        from_file
            .values()
            .all(|(.., place)| place.contains("tripsettle.toml:"))
    );
    assert!(defaults.values().all(|(.., place)| place == "default"));
}

/// What the manual only mentions is right as well: every `# key = value` line can be switched on.
#[test]
fn every_example_in_the_manual_is_accepted() {
    let is_example = |line: &str| {
        line.starts_with('[') && line.ends_with(']')
            || line
                .split_once(" = ")
                .is_some_and(|(key, _)| !key.contains(' '))
    };
    let switched_on: Vec<&str> = DEFAULT_FILE
        .lines()
        .map(|line| {
            line.strip_prefix("# ")
                .filter(|rest| is_example(rest))
                .unwrap_or(line)
        })
        .collect();
    let home = Home::new();
    home.write("tripsettle.toml", &switched_on.join("\n"));
    let config = home.load(&[]).unwrap();
    assert_eq!(config.stores.len(), 1);
    assert_eq!(config.processors.len(), 1);
    let mail = config.mail.unwrap();
    assert_eq!(
        mail.url,
        MailUrl::parse("smtps://mail.example.com").unwrap()
    );
    assert_eq!(
        (mail.to.len(), mail.attach, mail.max_attach_bytes),
        (2, false, 10 << 20)
    );
    assert_eq!(config.payment_service.region.as_deref(), Some("us-east-1"));
}

#[test]
fn the_flag_goes_before_the_variable_and_the_variable_before_the_folder() {
    let home = Home::new();
    for (name, hours) in [
        ("flag.toml", 1),
        ("variable.toml", 2),
        ("tripsettle.toml", 3),
    ] {
        home.write(
            name,
            &format!("[token]\nlifetime_hours = {hours}\nmargin_minutes = 5\n"),
        );
    }
    let variable = [("TRIPSETTLE_CONFIG", "variable.toml")];
    let of = |config: Config| (config.lifetime_ms / HOUR, config.file.unwrap());
    let flagged = home.load_with(Some("flag.toml"), &variable).unwrap();
    assert_eq!(of(flagged), (1, home.path("flag.toml")));
    assert_eq!(
        of(home.load(&variable).unwrap()),
        (2, home.path("variable.toml"))
    );
    assert_eq!(
        of(home.load(&[]).unwrap()),
        (3, home.path("tripsettle.toml"))
    );
    let unset = [("TRIPSETTLE_CONFIG", "")];
    assert_eq!(
        of(home.load(&unset).unwrap()),
        (3, home.path("tripsettle.toml"))
    );
}

#[test]
fn a_file_that_is_named_must_be_there() {
    let home = Home::new();
    home.write("tripsettle.toml", "");
    let told = home
        .load_with(Some("gone.toml"), &[])
        .unwrap_err()
        .to_string();
    assert!(told.contains("gone.toml"), "{told}");
    assert!(told.contains("cannot be read"), "{told}");
}

#[test]
fn relative_paths_count_from_the_configuration_file() {
    let home = Home::new();
    let text = "state_dir = './a'\noutput_dir = '/b'\n[mail]\nurl = 'file:///m'\nfrom = 'a@b'\n\
                to = 'c@d'\nusername = 'u'\npassword_file = 'p'\n[processor.x]\nreports_dir = 'r'";
    home.write("etc/t.toml", text);
    let variables = [("TRIPSETTLE_INBOX_DIR", "in")];
    let config = home.load_with(Some("etc/t.toml"), &variables).unwrap();
    // As text: people copy it from messages, where a `/./` would only be in the way.
    assert_eq!(config.state_dir.as_os_str(), home.path("etc/a").as_os_str());
    assert_eq!(config.output_dir, std::path::Path::new("/b"));
    assert_eq!(config.inbox_dir, home.path("etc/in"));
    assert_eq!(config.mail.unwrap().password_file, Some(home.path("etc/p")));
    let reports = config
        .processors
        .values()
        .next()
        .unwrap()
        .reports_dir
        .clone();
    assert_eq!(reports, Some(home.path("etc/r")));
}

/// `fixtures/config/variables.txt`: a value for every key that the environment may set.
#[test]
fn every_key_can_be_set_by_the_environment() {
    let rows = include_str!("../fixtures/config/variables.txt");
    let rows = rows
        .lines()
        .filter(|line| !line.is_empty() && !line.starts_with('#'));
    let rows: Vec<(&str, &str)> = rows.map(|line| line.split_once('=').unwrap()).collect();
    let home = Home::new();
    let config = home.load(&rows).unwrap();
    let found: BTreeMap<String, String> = config
        .values()
        .map(|(key, raw, place)| (place, format!("{key}={raw:?}")))
        .collect();
    for (name, value) in &rows {
        let name_of_key = name.trim_start_matches("TRIPSETTLE_").to_lowercase();
        let key = name_of_key.replace("__", ".");
        let told = format!("{key}={:?}", Raw::One((*value).to_owned()));
        assert_eq!(found.get(&format!("${name}")), Some(&told));
    }
    assert!(
        config
            .values()
            .all(|(.., place)| place.starts_with("$TRIPSETTLE_")),
        "{found:?}"
    );
    assert_eq!(config.payment_service.calls_per_1000_seconds, 500);
    assert_eq!(config.settlement.on_decline, DeclinePolicy::Search);
    assert!(config.settlement.transactional_data_proves_capture);
    let mail = config.mail.unwrap();
    assert_eq!(mail.to, ["a@example.com", "b@example.com"]);
    assert!(mail.attach);
}

#[test]
fn the_environment_goes_before_the_file() {
    let home = Home::new();
    home.write(
        "tripsettle.toml",
        "[payment_service]\nburst = 3\nmax_in_flight = 4\n",
    );
    let config = home
        .load(&[("TRIPSETTLE_PAYMENT_SERVICE__BURST", "5")])
        .unwrap();
    let service = config.payment_service;
    assert_eq!((service.burst, service.max_in_flight), (5, 4));
}

#[test]
fn the_region_comes_also_from_the_aws_environment() {
    let ours = ("TRIPSETTLE_PAYMENT_SERVICE__REGION", "ca-central-1");
    let (aws, aws_default) = (
        ("AWS_REGION", "eu-west-1"),
        ("AWS_DEFAULT_REGION", "ap-east-1"),
    );
    let rows = [
        (vec![], None),
        (vec![aws], Some("eu-west-1")),
        (vec![aws_default], Some("ap-east-1")),
        (vec![aws, aws_default], Some("eu-west-1")),
        (vec![aws_default, aws], Some("eu-west-1")),
        (vec![("AWS_REGION", ""), aws_default], Some("ap-east-1")),
        (vec![aws, ours], Some("ca-central-1")),
    ];
    for (variables, region) in rows {
        let config = Home::new().load(&variables).unwrap();
        assert_eq!(
            config.payment_service.region.as_deref(),
            region,
            "{variables:?}"
        );
    }
    let home = Home::new();
    home.write("tripsettle.toml", "payment_service.region = 'us-west-2'");
    let config = home.load(&[aws]).unwrap();
    assert_eq!(config.payment_service.region.as_deref(), Some("us-west-2"));
}

#[test]
fn a_missing_service_is_told_with_key_and_variable() {
    let told = Home::new()
        .load(&[])
        .unwrap()
        .require_service()
        .unwrap_err()
        .to_string();
    assert!(told.contains("payment_service.endpoint"), "{told}");
    assert!(
        told.contains("$TRIPSETTLE_PAYMENT_SERVICE__ENDPOINT"),
        "{told}"
    );
    let endpoint = [(
        "TRIPSETTLE_PAYMENT_SERVICE__ENDPOINT",
        "https://pay.example.com",
    )];
    let told = Home::new()
        .load(&endpoint)
        .unwrap()
        .require_service()
        .unwrap_err()
        .to_string();
    assert!(told.contains("payment_service.region"), "{told}");
}

/// `fixtures/config/wrong.txt`: a file (or variables), and every problem that is told of it.
#[test]
fn every_mistake_is_told_with_its_place_and_what_would_be_right() {
    let mut wrong = Vec::new();
    for block in blocks(include_str!("../fixtures/config/wrong.txt")) {
        let told = problems(&block);
        if told != block.told {
            wrong.push(format!("{}\n{}", block.name, told.join("\n")));
        }
    }
    assert!(wrong.is_empty(), "told otherwise:\n{}", wrong.join("\n\n"));
}

#[test]
fn what_is_in_force_is_shown_with_its_place() {
    let home = Home::new();
    home.write("tripsettle.toml", "\n[token]\nlifetime_hours = 40\n");
    let config = home
        .load(&[("TRIPSETTLE_TOKEN__MARGIN_MINUTES", "90")])
        .unwrap();
    let shown = config.shown();
    let file = home.path("tripsettle.toml");
    let line = format!("token.lifetime_hours = \"40\"  # {}:3\n", file.display());
    assert!(shown.contains(&line), "{shown}");
    let line = "token.margin_minutes = \"90\"  # $TRIPSETTLE_TOKEN__MARGIN_MINUTES\n";
    assert!(shown.contains(line), "{shown}");
    assert!(
        shown.contains("sweep.schedule = \"0 30 2 * * *\"  # default\n"),
        "{shown}"
    );
}

fn plain(config: &Config) -> Vec<(String, Raw)> {
    let values = config.values();
    values
        .map(|(key, raw, _)| (key.to_owned(), raw.clone()))
        .collect()
}
