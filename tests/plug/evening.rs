//! The evening: 25 trips with every outcome, two commands that settle them, and what must hold
//! afterwards whatever happened meanwhile.

use std::collections::BTreeMap;
use std::fs;
use std::path::Path;
use std::process::Command;

use tripsettle::sandbox::LedgerRow;
use tripsettle::store::Store;

use crate::night::stories::{self, Tale, as_csv, as_json_lines, make_known};
use crate::night::witness::{ledger, testifies, told};
use crate::night::{Night, names};

use super::tracer::{self, Ended, Watch};

const TRIPS: &str = "
    plain               10  captured   captured     captured
    limited              1  written_off written_off captured_partial
    partial              2  captured_partial written_off captured_partial
    declined             2  written_off written_off written_off
    expired              2  expired    expired      expired
    refused              1  refused    refused      refused
    empty                2  cancelled  cancelled    cancelled
    captured_elsewhere   1  captured   captured     captured
    cancelled_elsewhere  1  cancelled  cancelled    cancelled
    adjust_reset_after   1  captured   captured     captured
    capture_throttle_before 1 captured captured     captured
    capture_reset_after  1  in_doubt   in_doubt     in_doubt
";
/// How many calls are on their way at once, so how many doubts a kill can make.
pub const IN_FLIGHT: usize = 4;

/// A retailer's machine with the trips of one evening, nothing settled yet.
pub struct Evening {
    pub night: Night,
    pub tales: Vec<Tale>,
}

/// What a finished night must not change when it is run again.
#[derive(Debug, PartialEq, Eq)]
struct Finished {
    files: BTreeMap<String, Vec<u8>>,
    money: Vec<LedgerRow>,
}

impl Evening {
    /// The commands of the evening, in order.
    pub const COMMANDS: [&[&str]; 2] = [&["import", "evening.csv"], &["run"]];

    pub fn begin() -> Self {
        Self::begin_on(|_| ())
    }

    /// Prepares the machine's disk before anything is on it.
    pub fn begin_on(prepare: impl FnOnce(&Path)) -> Self {
        let mut night = Night::begin();
        prepare(night.dir.path());
        let mail = format!("file://{}", night.path("mail").display());
        for (name, value) in [
            ("TRIPSETTLE_MAIL__URL", mail.as_str()),
            ("TRIPSETTLE_MAIL__FROM", "night@shop.example"),
            ("TRIPSETTLE_MAIL__TO", "finance@shop.example"),
            ("TRIPSETTLE_LOG", "off"),
        ] {
            night.set(name, value);
        }
        let tales = stories::tales(TRIPS, night.began);
        assert_eq!(tales.len(), 25);
        make_known(&night, &tales);
        let of = |stores: [&str; 2]| {
            let tales = tales.iter();
            tales
                .filter(move |tale| stores.contains(&tale.store))
                .cloned()
                .collect::<Vec<_>>()
        };
        night.write("evening.csv", &as_csv(&of(["NYC", "BER"])));
        let (tokyo, kuwait): (Vec<_>, Vec<_>) = of(["TYO", "KWT"])
            .into_iter()
            .partition(|tale| tale.store == "TYO");
        night.write("inbox/TYO.csv", &as_csv(&tokyo));
        night.write("inbox/KWT.jsonl", &as_json_lines(&kuwait));
        Self { night, tales }
    }

    pub fn root(&self) -> &Path {
        self.night.dir.path()
    }

    pub fn command(&self, args: &[&str]) -> Command {
        self.night.command(args)
    }

    /// Runs a command under the eyes of `watch`.
    pub fn watched(&self, args: &[&str], watch: &mut dyn Watch) -> Ended {
        tracer::run(&self.command(args), watch)
    }

    /// Both commands again, as a person or a timer would, until the night is finished.
    pub fn recover(&self) {
        let imported = self.night.tripsettle(Self::COMMANDS[0]);
        assert_eq!(imported.code, Some(0), "{imported:#?}");
        let mut ended = self.night.tripsettle(&["run"]);
        for _ in 0..5 {
            if ended.code == Some(69) {
                ended = self.night.tripsettle(&["run"]);
            }
        }
        // Refusals stand, doubts stand, and tokens have died, in this run or in the one before.
        assert!(matches!(ended.code, Some(10..=12)), "{ended:#?}");
    }

    /// The mails that were sent so far.
    pub fn mails(&self) -> Vec<String> {
        let folder = self.night.path("mail");
        let files = fs::read_dir(folder).into_iter().flatten();
        let paths = files.map(|file| file.unwrap().path());
        let mails = paths.filter(|path| path.extension().is_some_and(|end| end == "eml"));
        mails
            .map(|mail| fs::read_to_string(mail).unwrap())
            .collect()
    }

    /// Everything that must hold once the night is finished, `kills` kills later.
    pub fn testifies(&self, kills: usize) {
        testifies(&self.night, &self.tales);
        self.each_ended_as_told(kills);
        self.is_whole();
        let before = self.finished();
        let again = self.night.tripsettle(&["run"]);
        assert!(matches!(again.code, Some(10..=12)), "{again:#?}");
        assert_eq!(before, self.finished(), "a finished night was changed");
    }

    /// As its story says; a kill may have turned calls that were on their way into doubts.
    fn each_ended_as_told(&self, kills: usize) {
        let told = told(&self.night);
        let mut made_doubtful = Vec::new();
        for tale in &self.tales {
            let (said, ending) = (
                &told[&tale.key()].outcome,
                tale.ending("capture_authorized"),
            );
            if said == ending {
                continue;
            }
            let was_captured = ending.starts_with("captured") && !tale.is_elsewhere();
            assert!(was_captured && said == "in_doubt", "{said}: {tale:#?}");
            made_doubtful.push(tale);
        }
        let most = kills * IN_FLIGHT;
        assert!(
            made_doubtful.len() <= most,
            "more than {most}: {made_doubtful:#?}"
        );
    }

    /// The database is sound, what is published is complete, and nothing waits half done.
    fn is_whole(&self) {
        let store = Store::open(&self.night.path("state")).unwrap();
        store.quick_check().unwrap();
        assert!(store.unpublished_closes().unwrap().is_empty());
        drop(store);
        let all = fs::read_dir(self.night.path("out")).unwrap();
        let hidden = all.map(|entry| entry.unwrap().file_name().into_string().unwrap());
        let hidden: Vec<String> = hidden.filter(|name| name.starts_with('.')).collect();
        assert!(hidden.is_empty(), "{hidden:?}");
        assert_eq!(
            self.night.editions().len(),
            1,
            "{:?}",
            self.night.editions()
        );
        for edition in self.night.newest_editions() {
            is_complete(&edition);
        }
        assert_eq!(names(&self.night.path("inbox")), ["taken"]);
        let taken = names(&self.night.path("inbox/taken"));
        assert_eq!(taken, ["KWT.jsonl", "TYO.csv"]);
    }

    fn finished(&self) -> Finished {
        let mut files = BTreeMap::new();
        for edition in self.night.newest_editions() {
            for name in names(&edition) {
                let path = edition.join(name);
                files.insert(path.display().to_string(), fs::read(&path).unwrap());
            }
        }
        let reads_do_not_count = |row: LedgerRow| LedgerRow { reads: 0, ..row };
        let money = ledger(&self.night)
            .into_values()
            .map(reads_do_not_count)
            .collect();
        Finished { files, money }
    }
}

/// An edition holds the files of its manifest, every byte of them, and nothing else.
pub fn is_complete(edition: &Path) {
    let manifest = fs::read(edition.join("manifest.json")).unwrap();
    let manifest: serde_json::Value = serde_json::from_slice(&manifest).unwrap();
    let mut listed = vec!["manifest.json".to_owned()];
    for file in manifest["files"].as_array().unwrap() {
        let name = file["name"].as_str().unwrap();
        let sha256 = tripsettle::trips::sha256_of(&edition.join(name)).unwrap();
        assert_eq!(file["sha256"], sha256, "{name} in {}", edition.display());
        listed.push(name.to_owned());
    }
    listed.sort();
    assert_eq!(names(edition), listed, "{}", edition.display());
}
