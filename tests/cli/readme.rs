//! What the documents show is what the program does.

use assert_cmd::Command;

#[test]
fn the_readme_shows_what_the_program_prints() {
    trycmd::TestCases::new()
        .env("SYSCTL_ADVISOR_CONFIG", concat!(env!("CARGO_MANIFEST_DIR"), "/config/sysctl-advisor.toml"))
        .case("README.md");
}

#[test]
fn the_finding_of_reading_a_report_is_what_the_program_prints() {
    let page = include_str!("../../docs/reading-a-report.md");
    let (_, rest) = page.split_once("```text\n").expect("the page shows a finding");
    let (finding, _) = rest.split_once("```").expect("the block ends");
    let mut command = Command::cargo_bin("sysctl-advisor").expect("the program");
    let arguments = ["audit", "--snapshot", "tests/data/ports.json"];
    assert!(page.contains(&arguments.join(" ")));
    let output = command.env("SYSCTL_ADVISOR_CONFIG", "/dev/null").args(arguments).output().expect("it runs");
    let report = String::from_utf8(output.stdout).expect("text");
    assert!(report.contains(finding), "docs/reading-a-report.md shows another finding than\n{report}");
}

#[test]
fn the_rule_of_add_a_rule_passes_its_own_tests() {
    let page = include_str!("../../docs/add-a-rule.md");
    let (_, rest) = page.split_once("```toml\n").expect("the page shows a rule");
    let (rule, _) = rest.split_once("```").expect("the block ends");
    let folder = tempfile::tempdir().expect("a folder");
    std::fs::write(folder.path().join("keepalive-behind-balancer.toml"), rule).expect("the rule is written");
    let mut command = Command::cargo_bin("sysctl-advisor").expect("the program");
    let shown = "1 rule checked, 0 broken; 4 tests passed, 0 failed\n";
    assert!(page.contains(shown));
    command.args(["rules", "test"]).arg(folder.path()).assert().code(0).stdout(shown);
}
