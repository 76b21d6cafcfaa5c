//! Winners, losers and problems, line by line; the loaders themselves are asked in `tests/loaders`.

use super::*;
use crate::drift::model::Assignment;
use crate::observe::persisted::{Directory, DirectoryState, FileKind, Ufw};

fn file(path: &str, text: &str) -> File {
    let source = match path {
        "/etc/sysctl.conf" => Source::SysctlConf,
        "/etc/ufw/sysctl.conf" => Source::Ufw,
        path if path.starts_with("/run/credentials") => Source::Credential,
        _ => Source::Directory,
    };
    File {
        path: path.to_owned(),
        source,
        link: None,
        kind: FileKind::Regular,
        mode: Some(0o644),
        uid: Some(0),
        text: Some(text.to_owned()),
        bytes: text.len() as u64,
        cut: false,
        not_utf8: false,
    }
}

fn persisted(files: &[(&str, &str)]) -> Persisted {
    let directories = ["/etc/sysctl.d", "/run/sysctl.d", "/usr/local/lib/sysctl.d", "/usr/lib/sysctl.d"];
    let directory = |path: &str| Directory {
        path: path.to_owned(),
        real: None,
        state: DirectoryState::Read,
        passed_over: Vec::new(),
    };
    Persisted {
        directories: directories.map(directory).into(),
        files: files.iter().map(|(path, text)| file(path, text)).collect(),
        ..Persisted::default()
    }
}

fn present() -> BTreeSet<String> {
    let names = ["all", "default", "lo", "eth0", "eth0/100"];
    let conf =
        names.iter().flat_map(|name| ["rp_filter", "forwarding"].map(|key| format!("net.ipv4.conf.{name}.{key}")));
    let keys = ["net.core.somaxconn", "net.ipv4.ip_forward", "net.ipv4.conf.all.accept_redirects"];
    conf.chain(keys.map(str::to_owned)).collect()
}

fn places(lines: &[Assignment]) -> Vec<(&str, &str, u32)> {
    lines.iter().map(|line| (line.value.as_str(), line.file.as_str(), line.line)).collect()
}

fn codes_of(resolution: &Resolution) -> Vec<(&str, u32, &str)> {
    resolution.problems.iter().map(|problem| (problem.file.as_str(), problem.line, problem.code)).collect()
}

#[test]
fn the_losers_stand_in_the_order_in_which_they_are_met() {
    let persisted = persisted(&[
        ("/usr/lib/sysctl.d/10-vendor.conf", "\nnet.core.somaxconn = 1\n"),
        ("/etc/sysctl.d/50-own.conf", "net.core.somaxconn = 2\nnet/core/somaxconn = 3\n"),
        ("/run/sysctl.d/10-vendor.conf", "net.core.somaxconn = 4\n"),
    ]);
    let resolution = resolve(&persisted, &present(), &Sysctls::new(), Loader::Systemd);
    let resolved = &resolution.keys["net.core.somaxconn"];
    assert_eq!((resolved.winner.value.as_str(), resolved.winner.line), ("3", 2));
    assert_eq!(
        places(&resolved.shadowed),
        [("4", "/run/sysctl.d/10-vendor.conf", 1), ("2", "/etc/sysctl.d/50-own.conf", 1)]
    );
    assert_eq!(resolved.if_refused, []);
    let fates: Vec<_> = resolution.files.iter().map(|used| (used.file.as_str(), used.fate.clone())).collect();
    assert_eq!(
        fates,
        [
            ("/run/sysctl.d/10-vendor.conf", Fate::Read { assignments: 1 }),
            ("/etc/sysctl.d/50-own.conf", Fate::Read { assignments: 2 }),
            ("/usr/lib/sysctl.d/10-vendor.conf", Fate::MaskedBy("/run/sysctl.d/10-vendor.conf".to_owned())),
        ]
    );
    let by_procps = &resolve(&persisted, &present(), &Sysctls::new(), Loader::Procps).keys["net.core.somaxconn"];
    assert_eq!(places(&by_procps.if_refused).iter().map(|place| place.0).collect::<Vec<_>>(), ["2", "4"]);
}

#[test]
fn the_kernel_s_command_line_comes_first_and_ufw_last() {
    let mut persisted = persisted(&[
        ("/etc/sysctl.d/a.conf", "net.core.somaxconn=2\n"),
        ("/run/credentials/@system/sysctl.extra", "net.core.somaxconn=3\n"),
        ("/etc/ufw/sysctl.conf", "net/core/somaxconn=4\n"),
    ]);
    persisted.command_line = Some("quiet sysctl.net.core.somaxconn=1 sysctl.net.ipv4.conf.eth0.rp_filter=1".to_owned());
    let values = |persisted: &Persisted, loader| {
        let resolved =
            resolve(persisted, &present(), &Sysctls::new(), loader).keys.remove("net.core.somaxconn").unwrap();
        let shadowed: Vec<String> = resolved.shadowed.into_iter().map(|line| line.value).collect();
        (resolved.winner.value, shadowed.concat())
    };
    assert_eq!(values(&persisted, Loader::Systemd), ("3".to_owned(), "12".to_owned()));
    assert_eq!(values(&persisted, Loader::Procps), ("2".to_owned(), "1".to_owned()));
    let enabled = |enabled| Some(Ufw { enabled, file: Some("/etc/ufw/sysctl.conf".to_owned()) });
    persisted.ufw = enabled(false);
    assert_eq!(values(&persisted, Loader::Systemd).0, "3");
    persisted.ufw = enabled(true);
    assert_eq!(values(&persisted, Loader::Systemd), ("4".to_owned(), "123".to_owned()));
    let resolution = resolve(&persisted, &present(), &Sysctls::new(), Loader::Systemd);
    let line = &resolution.keys["net.ipv4.conf.eth0.rp_filter"].winner;
    let place = &persisted.command_line.as_ref().unwrap()[line.span.clone()];
    assert_eq!((line.file.as_str(), place), (COMMAND_LINE, "sysctl.net.ipv4.conf.eth0.rp_filter=1"));
}

#[test]
fn the_kernel_s_command_line_reaches_lo_before_systemd_brings_it_up() {
    let of_files = persisted;
    let mut persisted = of_files(&[]);
    persisted.command_line = Some("sysctl.net.ipv4.conf.default.rp_filter=1".to_owned());
    let of_lo = |persisted: &Persisted| {
        let resolution = resolve(persisted, &present(), &Sysctls::new(), Loader::Systemd);
        resolution.keys.get("net.ipv4.conf.lo.rp_filter").map(|lo| lo.winner.value.clone())
    };
    assert_eq!(of_lo(&persisted).as_deref(), Some("1"));
    persisted.command_line = None;
    persisted.files = of_files(&[("/etc/sysctl.d/a.conf", "net.ipv4.conf.default.rp_filter=2\n")]).files;
    assert_eq!(of_lo(&persisted), None);
}

#[test]
fn a_pattern_does_not_win_over_a_line_for_the_key_and_both_are_told() {
    let text = "net.ipv4.conf.*.rp_filter=2\n-net.ipv4.conf.all.rp_filter\nnet.ipv4.conf.lo.rp_filter=0\n";
    let persisted = persisted(&[("/etc/sysctl.d/a.conf", text)]);
    for loader in [Loader::Systemd, Loader::Procps] {
        let resolution = resolve(&persisted, &present(), &Sysctls::new(), loader);
        let lo = &resolution.keys["net.ipv4.conf.lo.rp_filter"];
        assert_eq!((lo.winner.value.as_str(), lo.winner.from_glob.as_deref()), ("0", None));
        assert_eq!(lo.shadowed[0].from_glob.as_deref(), Some("net.ipv4.conf.*.rp_filter"));
        assert!(!resolution.keys.contains_key("net.ipv4.conf.all.rp_filter"));
        assert_eq!(resolution.keys["net.ipv4.conf.eth0/100.rp_filter"].winner.value, "2");
        assert_eq!(resolution.problems, []);
    }
}

#[test]
fn an_excluded_pattern_excludes_since_procps_4_0_5() {
    let text = "net.ipv4.conf.*.rp_filter=2\n-net.ipv4.conf.eth*.rp_filter\n";
    let mut persisted = persisted(&[("/etc/sysctl.d/a.conf", text)]);
    for (version, excludes) in [
        (Some("2:4.0.2-3"), false),
        (Some("2:4.0.4-9"), false),
        (Some("3.3.17"), false),
        (Some("2:4.0.5-1"), true),
        (Some("4.0.5rc1"), true),
        (Some("4.1.0"), true),
        (None, true),
    ] {
        persisted.procps_version = version.map(str::to_owned);
        let keys = resolve(&persisted, &present(), &Sysctls::new(), Loader::Procps).keys;
        // `default` goes to eth0 all the same, in the kernel.
        let line = &keys["net.ipv4.conf.eth0.rp_filter"].winner;
        assert_eq!(line.spread_from.is_some(), excludes, "{version:?}");
    }
}

#[test]
fn a_write_to_default_reaches_the_interfaces_and_says_where_it_came_from() {
    let persisted = persisted(&[("/etc/sysctl.d/a.conf", "net.ipv4.conf.default.rp_filter=1\n")]);
    let keys = resolve(&persisted, &present(), &Sysctls::new(), Loader::Systemd).keys;
    let line = &keys["net.ipv4.conf.eth0.rp_filter"].winner;
    assert_eq!((line.value.as_str(), line.spread_from.as_deref()), ("1", Some("net.ipv4.conf.default.rp_filter")));
    // systemd has brought it up before.
    assert!(!keys.contains_key("net.ipv4.conf.lo.rp_filter"));
    assert!(
        resolve(&persisted, &present(), &Sysctls::new(), Loader::Procps)
            .keys
            .contains_key("net.ipv4.conf.lo.rp_filter")
    );
}

#[test]
fn forwarding_takes_a_line_about_redirects_back() {
    let text = "net.ipv4.conf.all.accept_redirects=1\nnet.ipv4.ip_forward=1\n";
    let keys =
        resolve(&persisted(&[("/etc/sysctl.d/a.conf", text)]), &present(), &Sysctls::new(), Loader::Systemd).keys;
    let redirects = &keys["net.ipv4.conf.all.accept_redirects"];
    assert_eq!((redirects.winner.value.as_str(), redirects.winner.line), ("0", 2));
    assert_eq!(redirects.winner.spread_from.as_deref(), Some("net.ipv4.ip_forward"));
    assert_eq!(places(&redirects.shadowed), [("1", "/etc/sysctl.d/a.conf", 1)]);
}

#[test]
fn a_key_that_does_not_exist_is_resolved_too() {
    let keys = resolve(
        &persisted(&[("/etc/sysctl.d/a.conf", "net.ipv4.tcp_tw_recycle=1\n")]),
        &present(),
        &Sysctls::new(),
        Loader::Systemd,
    )
    .keys;
    assert_eq!(keys["net.ipv4.tcp_tw_recycle"].winner.value, "1");
}

#[test]
fn what_is_wrong_is_said_with_its_place() {
    let text = "nonsense\nnet.ipv4.no_*=1\nnet.core.somaxconn=1\n-net.core.somaxconn\nnet/../../x=1\n";
    let mut persisted = persisted(&[
        ("/etc/sysctl.d/a.conf", text),
        ("/etc/sysctl.d/fifo.conf", ""),
        ("/etc/sysctl.d/gone.conf", ""),
        ("/etc/sysctl.d/huge.conf", "net.core.somaxconn=2\n"),
    ]);
    persisted.files[1].kind = FileKind::Fifo;
    persisted.files[2].kind = FileKind::Dangling;
    (persisted.files[3].cut, persisted.files[3].not_utf8) = (true, true);
    persisted.directories[1].state = DirectoryState::Unreadable("Permission denied".to_owned());
    assert_eq!(
        codes_of(&resolve(&persisted, &present(), &Sysctls::new(), Loader::Systemd)),
        [
            ("/etc/sysctl.d/a.conf", 1, codes::NOT_AN_ASSIGNMENT),
            ("/etc/sysctl.d/a.conf", 2, codes::GLOB_WITHOUT_MATCH),
            ("/etc/sysctl.d/a.conf", 3, codes::CANCELLED),
            ("/etc/sysctl.d/a.conf", 5, codes::BAD_KEY),
            ("/etc/sysctl.d/fifo.conf", 0, codes::BLOCKS_LOADER),
            ("/etc/sysctl.d/gone.conf", 0, codes::UNREADABLE_FILE),
            ("/etc/sysctl.d/huge.conf", 0, codes::FILE_CUT),
            ("/etc/sysctl.d/huge.conf", 0, codes::NOT_UTF8),
            ("/run/sysctl.d", 0, codes::UNREADABLE_DIRECTORY),
        ]
    );
}

#[test]
fn a_file_of_nothing_but_patterns_is_bounded() {
    let text: String = (0..100_001).map(|number| format!("*.*.*{number}*=1\n")).collect();
    let many: BTreeSet<String> = (0..1000).map(|number| format!("net.ipv4.key{number}")).collect();
    for loader in [Loader::Systemd, Loader::Procps] {
        let resolution = resolve(&persisted(&[("/etc/sysctl.d/a.conf", &text)]), &many, &Sysctls::new(), loader);
        assert!(resolution.problems.iter().any(|problem| problem.code == codes::TOO_MANY_GLOBS));
        assert_eq!(resolution.files[0].fate, Fate::Read { assignments: 100_000 });
    }
}

proptest::proptest! {
    #[test]
    fn no_configuration_panics(
        text in "((net[./]|ipv4[./]|conf[./]|all|default|lo|[*]|[.]|rp_filter|ip_forward|-|=|[01]|\\n){0,12}\\n){0,8}|\\PC{0,60}"
    ) {
        let mut persisted = persisted(&[("/etc/sysctl.d/a.conf", &text), ("/etc/sysctl.conf", &text)]);
        persisted.command_line = Some(text);
        for loader in [Loader::Systemd, Loader::Procps] {
            let resolution = resolve(&persisted, &present(), &Sysctls::new(), loader);
            for resolved in resolution.keys.values() {
                proptest::prop_assert!(resolved.winner.line > 0);
            }
        }
    }
}
