//! The .rpm: read, and installed by rpm itself into a root with a database of its own.

use std::process::Command;

use super::chroot::with_root;
use super::{rpm, run, words};

fn query(what: &[&str]) -> String {
    run(Command::new("rpm").arg("-qp").args(what).arg(rpm()))
}

#[test]
fn it_holds_what_the_deb_holds() {
    let files = query(&["-l"]);
    for file in [
        "/usr/bin/sysctl-advisor",
        "/usr/lib/systemd/system/sysctl-advisor.service",
        "/usr/lib/systemd/system/sysctl-advisor.timer",
        "/usr/lib/systemd/system/sysctl-advisor-apply.timer",
        "/usr/lib/systemd/catalog/sysctl-advisor.catalog",
        "/usr/lib/sysusers.d/sysctl-advisor.conf",
        "/usr/lib/tmpfiles.d/sysctl-advisor.conf",
        "/etc/sysctl-advisor/sysctl-advisor.toml",
        "/etc/sysctl-advisor/config.d/README",
        "/usr/share/man/man1/sysctl-advisor-audit.1.gz",
        "/usr/share/man/man5/sysctl-advisor.toml.5.gz",
        "/usr/share/bash-completion/completions/sysctl-advisor",
        "/usr/share/zsh/site-functions/_sysctl-advisor",
        "/usr/share/fish/vendor_completions.d/sysctl-advisor.fish",
        "/usr/share/licenses/sysctl-advisor/LICENSE-MIT",
        "/usr/share/sysctl-advisor/rules/keys/listen.toml",
        "/usr/share/sysctl-advisor/facts/sysctl_advisor.fact",
        "/usr/share/sysctl-advisor/grafana/sysctl-advisor.json",
        "/usr/share/sysctl-advisor/prometheus/sysctl-advisor.rules.yml",
    ] {
        assert!(files.lines().any(|line| line == file), "{file} in\n{files}");
    }
    assert!(query(&["--configfiles"]).contains("/etc/sysctl-advisor/sysctl-advisor.toml"));
    assert!(query(&["--requires"]).contains("libc.so.6"), "{}", query(&["--requires"]));
    let told = query(&["--queryformat", "%{NAME} %{VERSION} %{LICENSE} %{SUMMARY}"]);
    assert!(told.starts_with(concat!("sysctl-advisor ", env!("CARGO_PKG_VERSION"), " MIT OR Apache-2.0 ")), "{told}");
}

#[test]
fn its_scripts_leave_it_to_the_preset_what_is_enabled() {
    let scripts = query(&["--scripts"]);
    for wanted in ["systemctl --no-reload preset sysctl-advisor.timer", "changes --in-force", "disable --now"] {
        assert!(scripts.contains(wanted), "{wanted} in\n{scripts}");
    }
}

#[test]
fn it_is_installed_verified_upgraded_and_erased_in_a_root_of_its_own() {
    // The root is Debian's, in whose rpm database nothing provides the C library: no dependencies are looked at.
    let output = with_root(
        rpm(),
        "rpm='rpm --force-debian --root $root'
         rpmdb --root $root --initdb
         # Folders that the package `filesystem` of such a distribution has.
         mkdir -p $root/usr/share/licenses $root/usr/share/fish/vendor_completions.d $root/usr/share/zsh/site-functions
         find $root/etc $root/usr $root/var/lib | sort > $root/../before
         eval $rpm --install --nodeps $package
         echo; echo wanted: $(chroot $root systemctl is-enabled sysctl-advisor.timer || true)
         eval $rpm --verify --nodeps sysctl-advisor && echo verified
         chroot $root sysctl-advisor config show | head -n 1
         echo '# Edited.' >> $root/etc/sysctl-advisor/sysctl-advisor.toml
         eval $rpm --upgrade --nodeps --replacepkgs $package
         tail -n 1 $root/etc/sysctl-advisor/sysctl-advisor.toml
         eval $rpm --erase --nodeps sysctl-advisor
         tail -n 1 $root/etc/sysctl-advisor/sysctl-advisor.toml.rpmsave
         rm -r $root/etc/sysctl-advisor
         find $root/etc $root/usr $root/var/lib | sort > $root/../after
         diff $root/../before $root/../after | grep -v /var/lib/rpm | grep '^[<>]' || echo nothing is left",
    );
    let said = words(&output);
    assert!(output.status.success(), "{said}");
    for wanted in ["verified\n", "# These sources were read.", "# Edited.\n# Edited.\n", "nothing is left\n"] {
        assert!(said.contains(wanted), "{wanted:?} in\n{said}");
    }
    // Debian's presets enable everything; what matters is that the unit was seen and a preset was asked.
    assert!(said.contains("wanted: enabled") || said.contains("wanted: disabled"), "{said}");
    assert!(!said.contains("scriptlet failed"), "{said}");
}
