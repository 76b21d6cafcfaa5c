//! The rules about the open files of the whole machine.

use crate::machine::scenario;

#[test]
fn files_near_the_limit_of_the_machine_and_above_it() {
    let seen = scenario("file-max-near");
    seen.at("near").assert_level("file-max-near", "warning", "% of the files open that fs.file-max allows");
    seen.assert_found("near", &["file-max-near"]);
    seen.at("full").assert_level("file-max-near", "critical", "of 25,000 files open");
    seen.assert_found("full", &["file-max-near"]);
    seen.assert_found("followed", &[]);
}
