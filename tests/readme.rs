//! The console blocks of the README are what the program prints.

#[test]
fn the_readme_shows_what_the_program_prints() {
    trycmd::TestCases::new()
        .env("SYSCTL_ADVISOR_CONFIG", concat!(env!("CARGO_MANIFEST_DIR"), "/config/sysctl-advisor.toml"))
        .case("README.md");
}
