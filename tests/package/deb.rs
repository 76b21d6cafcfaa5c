//! The .deb: judged by lintian, installed by dpkg.

use std::collections::BTreeSet;
use std::path::Path;
use std::process::{Command, Output};

use super::chroot::with_root;
use super::support::container::Container;
use super::support::wait_until;
use super::{PROJECT, attempt, deb, run, words};

const CONFIG: &str = "/etc/sysctl-advisor/sysctl-advisor.toml";
const DROP_IN: &str = "/etc/sysctl.d/90-sysctl-advisor.conf";

/// The package inside a container.
fn inside() -> String {
    format!("/mnt/{}", deb().file_name().unwrap().to_str().unwrap())
}

fn booted() -> Container {
    Container::boot_bare(deb().parent().unwrap())
}

fn dpkg(container: &Container, arguments: &[&str]) -> String {
    let output = container.attempt(&[&["env", "DEBIAN_FRONTEND=noninteractive", "dpkg"], arguments].concat());
    assert!(output.status.success(), "dpkg {arguments:?}: {}", words(&output));
    words(&output)
}

/// Everything that dpkg and the program could leave behind, without dpkg's own database.
fn listing(container: &Container) -> BTreeSet<String> {
    let found =
        container.run(&["find", "/etc", "/usr", "/var/lib", "/run", "-xdev", "-not", "-path", "/var/lib/dpkg/*"]);
    // What systemd, udev and getty write about what runs at the moment.
    // Its folder for users that it makes up stays, as does the copy that sysusers keeps of the groups.
    let passing = ["/run/systemd/", "/run/udev/", "/run/log/", "/run/agetty.reload", "/var/lib/private", "/etc/group-"];
    found.lines().filter(|path| !passing.iter().any(|place| path.starts_with(place))).map(str::to_owned).collect()
}

/// Makes a change as a person would.
fn change(container: &Container) {
    let applied = apply(container);
    assert!(applied.status.success(), "{}", words(&applied));
}

fn apply(container: &Container) -> Output {
    container.write_plan();
    let applied = container.attempt(&["sysctl-advisor", "apply", "/root/plan.json", "--yes"]);
    container.run(&["rm", "/root/plan.json"]);
    applied
}

#[test]
fn lintian_finds_nothing_wrong() {
    let judged = attempt(Command::new("lintian").args(["--allow-root", "--fail-on", "error,warning"]).arg(deb()));
    assert!(judged.status.success() && words(&judged).trim().is_empty(), "{}", words(&judged));
}

#[test]
fn the_version_of_the_package_is_that_of_the_program() {
    let newest = format!("{PROJECT}/deploy/debian/changelog");
    let written = run(Command::new("dpkg-parsechangelog").args(["-S", "Version", "-l", &newest]));
    let packaged = run(Command::new("dpkg-deb").args(["--field"]).arg(deb()).arg("Version"));
    assert_eq!(written, packaged);
    assert_eq!(packaged.trim(), concat!(env!("CARGO_PKG_VERSION"), "-1"));
}

#[test]
fn an_installed_package_audits_under_systemd() {
    let container = booted();
    dpkg(&container, &["-i", &inside()]);
    assert_eq!(container.run(&["systemctl", "is-enabled", "sysctl-advisor.timer"]).trim(), "enabled");
    assert_eq!(container.run(&["systemctl", "is-active", "sysctl-advisor.timer"]).trim(), "active");
    // Something to find, told in the first run.
    let tell = "printf '[agent]\\nhold_off = 1\\n' > /etc/sysctl-advisor/config.d/50-tell.toml";
    container.run(&["sh", "-c", &format!("{tell}; echo 0 > /proc/sys/net/ipv4/tcp_timestamps")]);
    container.run(&["systemctl", "start", "sysctl-advisor.service"]);
    let shown = container.run(&["systemctl", "show", "-p", "DynamicUser", "-p", "Result", "sysctl-advisor.service"]);
    assert!(shown.contains("DynamicUser=yes") && shown.contains("Result=success"), "{shown}");
    wait_until("the journal has the finding, with the words of the catalogue", || {
        let said = container.run(&["journalctl", "-x", "--no-pager", "SYSCTL_ADVISOR_RULE=timestamps-off"]);
        said.contains("TCP timestamps are off") && said.contains("The rule timestamps-off fired")
    });
    container.run(&["sh", "-c", "test -s /run/sysctl-advisor/*.prom"]);
    assert_eq!(container.run(&["stat", "-c", "%U %G %a", "/var/lib/sysctl-advisor"]).trim(), "root root 755");
    assert_eq!(container.run(&["stat", "-c", "%G %a", "/run/sysctl-advisor"]).trim(), "sysctl-advisor 2775");
    let apply = container.attempt(&["systemctl", "is-enabled", "sysctl-advisor-apply.timer"]);
    assert_eq!(words(&apply).trim(), "disabled", "nothing is applied unasked");
    let failed = container.run(&["systemctl", "--failed", "--no-legend", "--plain"]);
    assert!(!failed.contains("sysctl-advisor"), "{failed}");
}

#[test]
fn what_is_installed_is_where_its_readers_look() {
    let folder = tempfile::tempdir().unwrap();
    run(Command::new("dpkg-deb").arg("-x").arg(deb()).arg(folder.path()));
    let manual = folder.path().join("usr/share/man");
    for page in ["sysctl-advisor", "sysctl-advisor-audit", "sysctl-advisor-rules-test", "sysctl-advisor.toml"] {
        let found = run(Command::new("man").arg("-M").arg(&manual).args(["-w", page]));
        assert!(found.trim().ends_with(".gz"), "{found}");
    }
    let root = folder.path().display();
    run(Command::new("bash")
        .args(["-euc", &format!("source {root}/usr/share/bash-completion/completions/sysctl-advisor")]));
    let rules =
        run(Command::new("find").arg(folder.path().join("usr/share/sysctl-advisor/rules")).args(["-name", "*.toml"]));
    assert!(rules.lines().count() > 50, "{rules}");
    let shipped = std::fs::read(format!("{PROJECT}/config/sysctl-advisor.toml")).unwrap();
    assert_eq!(std::fs::read(folder.path().join(&CONFIG[1..])).unwrap(), shipped);
    let program = folder.path().join("usr/bin/sysctl-advisor");
    assert!(run(Command::new("file").arg("-b").arg(program)).contains(", stripped"));
}

#[test]
fn what_a_drop_in_forbids_is_not_applied() {
    let container = booted();
    dpkg(&container, &["-i", &inside()]);
    let forbid = "printf '[apply]\\nnever = [\"net.core.*\"]\\n' > /etc/sysctl-advisor/config.d/50-never.toml";
    container.run(&["sh", "-c", forbid]);
    let refused = apply(&container);
    assert!(!refused.status.success() && words(&refused).contains("[apply] only, never"), "{}", words(&refused));
    container.run(&["rm", "/etc/sysctl-advisor/config.d/50-never.toml"]);
    change(&container);
}

/// The package of a later version, with another default in its configuration file.
fn later(folder: &Path) -> String {
    let tree = folder.join("tree");
    run(Command::new("dpkg-deb").arg("-R").arg(deb()).arg(&tree));
    let control = tree.join("DEBIAN/control");
    let text = std::fs::read_to_string(&control).unwrap();
    let version = text.lines().find(|line| line.starts_with("Version: ")).unwrap();
    std::fs::write(&control, text.replace(version, "Version: 9.0-1")).unwrap();
    let config = tree.join(&CONFIG[1..]);
    std::fs::write(&config, std::fs::read_to_string(&config).unwrap() + "\n# Of the later version.\n").unwrap();
    run(Command::new("dpkg-deb").arg("-Zgzip").arg("-b").arg(&tree).arg(folder.join("later.deb")));
    std::fs::remove_dir_all(tree).unwrap();
    "/mnt/later.deb".to_owned()
}

#[test]
fn an_upgrade_keeps_what_the_administrator_edited_and_switched_off() {
    let folder = tempfile::tempdir().unwrap();
    std::fs::copy(deb(), folder.path().join(deb().file_name().unwrap())).unwrap();
    let later = later(folder.path());
    let container = Container::boot_bare(folder.path());
    dpkg(&container, &["-i", &inside()]);
    let edit = format!("echo '# Edited by hand.' >> {CONFIG}; echo 1 > /etc/sysctl-advisor/rules.d/notes");
    container.run(&["sh", "-c", &edit]);
    container.run(&["systemctl", "disable", "--now", "sysctl-advisor.timer"]);
    // The same default as before: dpkg has nothing to ask.
    dpkg(&container, &["-i", &inside()]);
    assert!(container.run(&["cat", CONFIG]).contains("# Edited by hand."));
    // Another default: the administrator's file stays, and the new one is put beside it.
    dpkg(&container, &["--force-confdef", "--force-confold", "-i", &later]);
    let kept = container.run(&["cat", CONFIG]);
    assert!(kept.contains("# Edited by hand.") && !kept.contains("# Of the later version."), "{kept}");
    assert!(container.run(&["cat", &format!("{CONFIG}.dpkg-dist")]).contains("# Of the later version."));
    let enabled = container.attempt(&["systemctl", "is-enabled", "sysctl-advisor.timer"]);
    assert_eq!(words(&enabled).trim(), "disabled", "what was disabled stays so");
    // Leftovers of dpkg are no configuration.
    container.run(&["sysctl-advisor", "config", "show"]);
}

#[test]
fn a_default_that_nobody_edited_is_the_new_one_after_an_upgrade() {
    let folder = tempfile::tempdir().unwrap();
    std::fs::copy(deb(), folder.path().join(deb().file_name().unwrap())).unwrap();
    let later = later(folder.path());
    let container = Container::boot_bare(folder.path());
    dpkg(&container, &["-i", &inside()]);
    dpkg(&container, &["-i", &later]);
    assert!(container.run(&["cat", CONFIG]).contains("# Of the later version."));
    assert_eq!(container.run(&["systemctl", "is-enabled", "sysctl-advisor.timer"]).trim(), "enabled");
    assert_eq!(container.run(&["systemctl", "is-active", "sysctl-advisor.timer"]).trim(), "active");
}

#[test]
fn removing_the_package_says_which_changes_stay() {
    let container = booted();
    dpkg(&container, &["-i", &inside()]);
    change(&container);
    let said = dpkg(&container, &["-r", "sysctl-advisor"]);
    assert!(said.contains("net.core.somaxconn") && said.contains("effective, not confirmed"), "{said}");
    assert!(said.contains("sysctl-advisor rollback ID"), "{said}");
    assert_eq!(container.run(&["cat", "/proc/sys/net/core/somaxconn"]).trim(), "8192", "a removal changes no sysctl");
    // Installed again, the change can be taken back; then there is nothing to tell.
    dpkg(&container, &["-i", &inside()]);
    assert_eq!(container.run(&["systemctl", "is-active", "sysctl-advisor.timer"]).trim(), "active");
    let apply = container.attempt(&["systemctl", "is-enabled", "sysctl-advisor-apply.timer"]);
    assert_eq!(words(&apply).trim(), "disabled", "not masked any more");
    container.run(&["sysctl-advisor", "rollback", "--last", "--yes"]);
    assert_eq!(container.run(&["cat", "/proc/sys/net/core/somaxconn"]).trim(), "4096");
    let said = dpkg(&container, &["-r", "sysctl-advisor"]);
    assert!(!said.contains("net.core.somaxconn"), "{said}");
    assert!(container.run(&["cat", CONFIG]).contains("[audit]"), "a removal keeps the configuration");
}

#[test]
fn a_journal_that_cannot_be_read_keeps_no_removal_from_going_on() {
    let container = booted();
    dpkg(&container, &["-i", &inside()]);
    change(&container);
    container.run(&["sh", "-c", "echo garbage > /var/lib/sysctl-advisor/changes/1/plan.json"]);
    let said = dpkg(&container, &["-r", "sysctl-advisor"]);
    assert!(said.contains("change 1") && said.contains("not all of them could be listed"), "{said}");
}

#[test]
fn a_purge_leaves_nothing() {
    let container = booted();
    let before = listing(&container);
    dpkg(&container, &["-i", &inside()]);
    container.run(&["systemctl", "enable", "--now", "sysctl-advisor-apply.timer"]);
    container.run(&["systemctl", "start", "sysctl-advisor.service"]);
    change(&container);
    container.run(&["sysctl-advisor", "confirm"]);
    container.run(&["test", "-e", DROP_IN]);
    container.run(&["sh", "-c", "echo '[audit]' > /etc/sysctl-advisor/config.d/50-mine.toml"]);
    assert!(listing(&container).len() > before.len() + 50);
    let said = dpkg(&container, &["-P", "sysctl-advisor"]);
    assert!(said.contains("permanent") && said.contains(&format!("{DROP_IN} is removed")), "{said}");
    let after = listing(&container);
    assert_eq!(after.difference(&before).collect::<Vec<_>>(), Vec::<&String>::new());
    assert_eq!(before.difference(&after).collect::<Vec<_>>(), Vec::<&String>::new());
    let units = container.run(&["systemctl", "list-units", "--all", "--no-legend", "--plain", "sysctl-advisor*"]);
    assert_eq!(units.trim(), "");
}

#[test]
fn it_is_installed_and_purged_where_nothing_has_booted() {
    let output = with_root(
        deb(),
        "cp $package $root/root/p.deb; find $root/etc $root/var/lib $root/usr | sort > $root/../before
         chroot $root dpkg -i /root/p.deb
         chroot $root systemctl is-enabled sysctl-advisor.timer
         chroot $root sysctl-advisor --version
         chroot $root dpkg -P sysctl-advisor
         find $root/etc $root/var/lib $root/usr | sort > $root/../after
         diff $root/../before $root/../after | grep -v /var/lib/dpkg | grep '^[<>]' || echo nothing is left",
    );
    let said = words(&output);
    assert!(output.status.success() && said.contains("enabled\n") && said.contains("nothing is left"), "{said}");
    assert!(!said.contains("stay"), "no change was made here: {said}");
}
