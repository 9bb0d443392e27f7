//! Every fault on every call, before and after its effect, over real sockets: the real door to the
//! payment service and the real run against the sandbox, whose own ledger is the witness.
//!
//! `faults/catalogue.txt` says how each fault sounds to each call, `faults/consequences.txt` what
//! follows from that. Each cell of the full product is played; one that was not fails the suite.
#![allow(clippy::unwrap_used)]

#[path = "faults/bomb.rs"]
mod bomb;
#[path = "faults/how.rs"]
mod how;
#[path = "faults/scene.rs"]
mod scene;
mod service;
#[path = "faults/tables.rs"]
mod tables;
#[path = "faults/world.rs"]
mod world;

use std::collections::BTreeSet;
use std::process::Command;

use scene::{door, key};
use tables::{Cell, Tables, side_name};
use tripsettle::payment_service::PaymentService as _;
use world::{LONG, play};

/// The trusted certificates come from the environment, which a test may not change for the others:
/// so the test runs itself once more, trusting the test authority.
#[test]
fn every_cell_of_the_catalogue_is_played_and_holds() {
    let mut child = Command::new(std::env::current_exe().unwrap());
    child.args(["--ignored", "--exact", "catalogue", "--nocapture"]);
    child.env("SSL_CERT_FILE", service::tls::fixture("test-authority.pem"));
    let output = child.output().unwrap();
    let told = String::from_utf8_lossy(&output.stdout);
    let cried = String::from_utf8_lossy(&output.stderr);
    println!("{told}");
    let passed = output.status.success() && told.contains("1 passed");
    assert!(passed, "{told}\n{cried}");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
#[ignore = "run by the test above, which trusts the test authority"]
async fn catalogue() {
    // The certificates that are refused are refused for what is wrong with them.
    let good = service::tls::start_signed("good-test-cert.pem");
    let well = door(&format!("https://localhost:{good}"), LONG, 1);
    let heard = well.send(&key("control"), &service::capture()).await;
    assert_eq!(service::told(&heard), "initiated", "the control is refused");

    let tables = Tables::read();
    let played = play(tables.cells()).await;
    played.holds();
    let product = tables.product();
    let missed: Vec<_> = product.difference(&played.hit).collect();
    println!("cells {} of {}", played.hit.len(), product.len());
    assert!(missed.is_empty(), "never hit: {missed:#?}");
    assert_eq!(played.hit, product);
}

#[test]
fn the_tables_are_whole() {
    let tables = Tables::read();
    let cells = tables.cells();
    assert!(cells.len() >= 4 * 100, "{} cells are too few", cells.len());
    let names: BTreeSet<_> = cells.iter().map(Cell::name).collect();
    assert_eq!(names.len(), cells.len(), "a fault stands there twice");
    assert_eq!(names, tables.product());
    assert_eq!(
        tables.unused(),
        Vec::<String>::new(),
        "consequences that nothing has"
    );
    for cell in &cells {
        assert!(!side_name(cell.side).is_empty());
    }
}
