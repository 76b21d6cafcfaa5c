//! The commands of `docs/integrations` work as a person types them.

use std::path::Path;

use crate::place::{Place, needs, needs_tool};

/// The lines of a page's `console` blocks that begin with `$`.
fn commands(page: &str) -> Vec<String> {
    let blocks = page.split("```console\n").skip(1).map(|rest| rest.split_once("```").unwrap().0);
    blocks.flat_map(str::lines).filter_map(|line| line.strip_prefix("$ ")).map(str::to_owned).collect()
}

#[test]
fn every_command_of_a_page_succeeds() {
    for (program, package) in [
        ("ansible-playbook", "ansible"),
        ("puppet", "puppet"),
        ("facter", "puppet"),
        ("promtool", "prometheus"),
        ("nix-instantiate", "nix-bin"),
        ("cloud-init", "cloud-init"),
        ("ignition-validate", "ignition"),
        ("podman", "podman"),
        ("git", "git"),
    ] {
        needs(program, package);
    }
    ["salt-call", "pre-commit"].into_iter().for_each(needs_tool);
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("docs/integrations");
    let mut pages: Vec<_> = std::fs::read_dir(folder).unwrap().map(|entry| entry.unwrap().path()).collect();
    pages.sort();
    for page in pages {
        let text = std::fs::read_to_string(&page).unwrap();
        let commands = commands(&text);
        assert!(!commands.is_empty(), "{}: a page shows commands", page.display());
        let place = Place::new();
        for command in commands {
            place.ok(&command);
        }
    }
}

#[test]
fn every_format_has_a_page() {
    let index = include_str!("../../docs/integrations/README.md");
    for format in sysctl_advisor::export::FORMATS {
        let row = index.lines().find(|line| line.starts_with(&format!("| `{}` |", format.name)));
        let page = row.and_then(|row| row.split_once("](")?.1.split([')', '#']).next());
        let page = page.unwrap_or_else(|| panic!("{} has no page", format.name));
        let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("docs/integrations").join(page);
        let text = std::fs::read_to_string(path).unwrap();
        for style in format.styles.iter().skip(1) {
            assert!(text.contains(&format!("--style {}", style.name)), "{page}: {}", style.name);
        }
    }
}
