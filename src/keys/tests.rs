//! Tests of the catalogue of keys.

use std::fs;
use std::os::unix::fs::MetadataExt;

use super::number::integer;
use super::*;

fn key(name: &str) -> &'static Key {
    catalogue().get(name).unwrap_or_else(|| panic!("{name} is not in the catalogue"))
}

#[test]
fn the_compiled_in_files_have_no_problem() {
    for (name, area, json) in KEYS {
        serde_json::from_str::<Key>(json).unwrap_or_else(|error| panic!("rules/keys/{area}.toml: {name}: {error}"));
    }
    assert!(KEYS.len() > 600 && catalogue().iter().count() == KEYS.len());
    assert!(KEYS.is_sorted_by_key(|(name, _, _)| name), "a key of one interface is looked for by name");
}

#[test]
fn every_default_parses_and_is_taken_by_the_kernel() {
    for key in catalogue().iter() {
        if let Some(text) = &key.default {
            let value = parse(key, text).unwrap_or_else(|error| panic!("{}: {error}", key.name));
            validate(key, &value).unwrap_or_else(|error| panic!("{}: {error}", key.name));
            assert_eq!(&value.to_string(), text, "{}: not in the normal form", key.name);
        } else {
            assert!(key.default_note.is_some() || key.removed.is_some(), "{}: says nothing of its default", key.name);
        }
    }
}

#[test]
fn every_typical_value_parses_and_is_meaningful() {
    for key in catalogue().iter() {
        let Some(text) = &key.typical else {
            assert!(key.removed.is_some(), "{}: no typical value", key.name);
            continue;
        };
        let value = parse(key, text).unwrap_or_else(|error| panic!("{}: {error}", key.name));
        assert!(is_meaningful(key, &value), "{}: the typical value {text} is not meaningful", key.name);
        assert_eq!(&value.to_string(), text, "{}: not in the normal form", key.name);
        assert!(key.removed.is_none(), "{}: no usual server has a key that was removed", key.name);
    }
}

#[test]
fn what_is_meaningful_the_kernel_takes() {
    for key in catalogue().iter() {
        let [lowest, highest] = key.accepted.unwrap_or([i64::from(i32::MIN), i64::from(i32::MAX)]);
        assert!(lowest <= highest, "{}", key.name);
        if let Some([low, high]) = key.meaningful {
            assert!(low <= high && lowest <= low && high <= highest, "{}", key.name);
        }
    }
}

#[test]
fn the_named_values_of_an_enumeration_are_values_of_the_key() {
    for key in catalogue().iter() {
        for text in key.values.keys() {
            let value = parse(key, text).unwrap_or_else(|error| panic!("{}: {error}", key.name));
            validate(key, &value).unwrap_or_else(|error| panic!("{}: {error}", key.name));
        }
    }
}

#[test]
fn every_key_is_documented() {
    for key in catalogue().iter() {
        let name = &key.name;
        assert!(key.meaning.ends_with('.') && key.meaning.contains(". "), "{name}: the meaning has two sentences");
        assert!(!key.source.is_empty(), "{name}");
        assert!((key.length > 1) == (key.kind == ValueType::Ints), "{name}: only a list has a length");
        assert!(!key.ascending || key.kind == ValueType::Ints, "{name}: only a list can ascend");
        assert_eq!(key.unit.trim(), key.unit, "{name}");
        for note in [&key.risk_note, &key.misuse, &key.interactions, &key.inert, &key.default_note] {
            assert!(note.as_ref().is_none_or(|note| note.ends_with(['.', '`', ')'])), "{name}: {note:?}");
        }
        let takes_effect = key.takes_effect();
        assert!(takes_effect.ends_with('.') && !takes_effect.contains(".."), "{name}: {takes_effect}");
        for other in &key.needs {
            assert!(catalogue().get(other).is_some(), "{name} needs {other}, which is not in the catalogue");
            assert_ne!(other, name);
        }
    }
}

#[test]
fn names_that_are_socket_options_or_vendor_patches_are_no_keys() {
    for name in ["net.ipv4.ip_bind_address_no_port", "net.ipv4.tcp_tw_timeout", "net.ipv4.tcp_timewait_len"] {
        assert!(catalogue().get(name).is_none(), "{name}");
    }
}

#[test]
fn a_change_says_when_it_shows() {
    assert_eq!(
        key("net.core.somaxconn").takes_effect(),
        "When the service calls listen() again, which usually means a restart: \
         the limit of a socket that listens already does not change."
    );
    assert_eq!(key("net.ipv4.tcp_max_syn_backlog").takes_effect(), "At once.");
}

#[test]
fn a_misspelt_or_shortened_name_finds_its_key() {
    for (given, found) in [
        ("net.ipv4.tcp_tw_resue", Some("net.ipv4.tcp_tw_reuse")),
        ("tcp_tw_reuse", Some("net.ipv4.tcp_tw_reuse")),
        ("net.ipv4.somaxconn", Some("net.core.somaxconn")),
        ("net.ipv4.tcp_fin_timout", Some("net.ipv4.tcp_fin_timeout")),
        ("net.ipv4.conf.eth0/5.rp_filtre", Some("net.ipv4.conf.eth0/5.rp_filter")),
        ("rp_filter", Some("net.ipv4.conf.*.rp_filter")),
        ("net.x25.call_request_timeout", None),
        ("kernel.panic", None),
        ("", None),
    ] {
        assert_eq!(catalogue().suggest(given).as_deref(), found, "{given}");
    }
}

#[test]
fn secrets_are_known_by_name() {
    assert!(is_secret("net.ipv4.tcp_fastopen_key"));
    assert!(is_secret("net.ipv6.conf.eth0/100.stable_secret"));
    assert!(is_secret("net.core.netdev_rss_key"));
    assert!(!is_secret("net.ipv4.tcp_fastopen"));
    assert!(!is_secret("net.ipv6.conf.eth0.addr_gen_mode"));
}

#[test]
fn a_key_is_inert_only_since_the_kernel_that_ignores_it() {
    let inert = |name: &str, kernel: &str| key(name).inert_on(kernel).is_some();
    let scale = "net.ipv4.tcp_adv_win_scale";
    assert!(!inert(scale, "5.15.0-100-generic") && !inert(scale, "6.1.0-18-amd64"));
    assert!(inert(scale, "6.6.12") && inert(scale, "6.18.44") && inert(scale, ""));
    assert!(inert("net.ipv4.tcp_low_latency", "5.15.0"));
    assert!(catalogue().iter().all(|key| key.inert_since.is_none() || key.inert.is_some()));
}

#[test]
fn a_kernel_has_a_key_from_one_version_to_another() {
    let recycle = key("net.ipv4.tcp_tw_recycle");
    assert!(!recycle.is_gone_from("3.10.0-1160.el7") && recycle.is_gone_from("4.12.1") && recycle.is_gone_from(""));
    let gone_by = catalogue().iter().find(|key| key.removed.as_deref() == Some("by 6.17")).unwrap();
    assert!(!gone_by.is_gone_from("6.12.0") && gone_by.is_gone_from("6.17.1"));
    let newer = catalogue().iter().find(|key| key.since.as_deref() == Some("5.18")).unwrap();
    assert!(newer.is_newer_than("5.10.0-8-amd64") && !newer.is_newer_than("5.18.0") && !newer.is_newer_than(""));
}

#[test]
fn a_kernel_with_parts_of_newer_ones_or_an_unsure_version_does_not_lack_a_key_for_sure() {
    let exact = key("net.ipv4.tcp_comp_sack_slack_ns");
    assert!(exact.is_newer_than("5.4.0-26-generic") && !exact.is_newer_than("4.18.0-553.el8_10.x86_64"));
    assert!(exact.can_be_newer_than("4.18.0-553.el8_10.x86_64") && !exact.can_be_newer_than("5.8.0"));
    let unsure = catalogue().iter().find(|key| key.since.as_deref() == Some("by 5.14")).unwrap();
    assert!(
        !unsure.is_newer_than("5.13.0") && unsure.can_be_newer_than("5.13.0") && !unsure.can_be_newer_than("5.14.0")
    );
}

#[test]
fn every_version_in_the_catalogue_can_be_read() {
    for key in catalogue().iter() {
        for version in [&key.since, &key.removed, &key.inert_since].into_iter().flatten() {
            let plain = version.strip_prefix("by ").unwrap_or(version);
            let read = release(plain).map(|(major, minor)| format!("{major}.{minor}"));
            assert_eq!(read.as_deref(), Some(plain), "{}: {version}", key.name);
        }
    }
}

#[test]
fn a_key_that_is_gone_or_ignored_is_not_useful_to_set() {
    assert!(key("net.ipv4.tcp_tw_reuse").is_useful_to_set());
    assert!(!key("net.ipv4.tcp_tw_recycle").is_useful_to_set());
    assert!(!key("net.ipv4.tcp_low_latency").is_useful_to_set());
    assert!(!key("net.ipv4.tcp_available_congestion_control").is_useful_to_set());
}

/// Runs `look` on a thread in a network namespace of its own; nothing happens where none can be made.
fn in_a_fresh_namespace(look: fn()) {
    let outcome = std::thread::spawn(move || {
        if nix::sched::unshare(nix::sched::CloneFlags::CLONE_NEWNET).is_ok() {
            let arguments = ["link", "add", "v0", "type", "veth", "peer", "name", "v1"];
            // Where it is missing, `lo` speaks for the interfaces.
            let _ = std::process::Command::new("ip").args(arguments).output();
            look();
        }
    })
    .join();
    if let Err(panic) = outcome {
        std::panic::resume_unwind(panic);
    }
}

/// `v0` is an interface of its own making.
const WHO: [&str; 4] = ["all", "default", "lo", "v0"];

/// The names under which the kernel has an entry's key, and the key of each.
fn named(entry: &'static Key) -> Vec<(String, &'static Key)> {
    let Some(parts) = InterfaceKey::of(&entry.name).filter(|parts| parts.who == "*") else {
        return vec![(entry.name.clone(), entry)];
    };
    WHO.into_iter().filter_map(|who| Some((parts.with(who), catalogue().get(&parts.with(who))?))).collect()
}

fn keys() -> impl Iterator<Item = (String, &'static Key)> {
    catalogue().iter().flat_map(named)
}

fn path(name: &str) -> String {
    format!("/proc/sys/{}", name.replace('.', "/"))
}

#[test]
fn this_kernel_s_namespaces_agree_with_the_scopes() {
    let host: Vec<String> = keys().map(|(name, _)| name).filter(|name| fs::exists(path(name)).unwrap()).collect();
    static ON_THE_HOST: OnceLock<Vec<String>> = OnceLock::new();
    ON_THE_HOST.set(host).unwrap();
    in_a_fresh_namespace(|| {
        let net = |name: &String| name.starts_with("net.") && ON_THE_HOST.get().unwrap().contains(name);
        for (name, key) in keys().filter(|(name, _)| net(name)) {
            let mode = fs::metadata(path(&name)).ok().map(|metadata| metadata.mode());
            match (key.scope, mode) {
                (Scope::Namespace, Some(mode)) => assert_eq!(mode & 0o200 == 0, key.read_only, "{name}"),
                // Kernels before 6.8 or so do not show these in a child at all.
                (Scope::ReadOnlyInChild, Some(mode)) => assert_eq!(mode & 0o222, 0, "{name} is writable"),
                (Scope::Namespace, None) => {
                    assert_eq!(name, "net.core.optmem_max", "absent in a child; older kernels had it for the host");
                }
                (Scope::Host, mode) => assert_eq!(mode, None, "{name} belongs to the namespace"),
                (Scope::ReadOnlyInChild, None) => {}
            }
        }
    });
}

/// A namespace can set it, and it is 1 for the whole machine until the next boot.
const ONE_WAY: &str = "net.netfilter.nf_hooks_lwtunnel";

/// Whether the kernel refuses a value for what another key holds: the port range begins at 32768, and the low threshold
/// of fragments must not be above the high one.
fn is_bound_by_another_key(name: &str) -> bool {
    // The size of an interface limits that of its IPv6 packets.
    ["net.ipv4.ip_unprivileged_port_start", "net.ipv6.conf.*.mtu"].contains(&name)
        || (name.contains("frag") && name.ends_with("_thresh"))
}

#[test]
fn this_kernel_takes_both_ends_of_what_is_accepted_and_gives_them_back() {
    in_a_fresh_namespace(|| {
        for (name, key) in keys()
            .filter(|(_, key)| key.scope == Scope::Namespace && !key.read_only && key.kind == ValueType::Int)
            .filter(|(name, _)| name != ONE_WAY)
        {
            let [low, high] = key.accepted.unwrap_or([i64::from(i32::MIN), i64::from(i32::MAX)]);
            for value in [low, high] {
                let Ok(before) = fs::read_to_string(path(&name)) else { continue };
                match fs::write(path(&name), value.to_string()) {
                    Ok(()) => {}
                    // /proc/sys can be mounted read-only.
                    Err(error) if error.kind() == std::io::ErrorKind::ReadOnlyFilesystem => return,
                    Err(_) if is_bound_by_another_key(&key.name) => continue,
                    Err(error) => panic!("{name} = {value}: {error}"),
                }
                let after = fs::read_to_string(path(&name)).unwrap();
                let shown = integer(after.trim()).unwrap();
                // A time in hundredths of a second overflows, and shows nothing sensible then.
                let is_sensible = key.unit != "hundredths of a second";
                assert!(!is_sensible || shown == value || is_rounded(&name, value, shown), "{name} = {value}: {shown}");
                fs::write(path(&name), before).unwrap();
            }
        }
    });
}

#[test]
fn every_key_of_an_interface_that_this_kernel_has_is_in_the_catalogue() {
    in_a_fresh_namespace(|| {
        let mut seen = 0;
        for folder in ["net.ipv4.conf", "net.ipv6.conf", "net.ipv4.neigh", "net.ipv6.neigh"] {
            for who in WHO.into_iter().filter(|who| fs::exists(path(&format!("{folder}.{who}"))).unwrap()) {
                for entry in fs::read_dir(path(&format!("{folder}.{who}"))).unwrap() {
                    let name = format!("{folder}.{who}.{}", entry.unwrap().file_name().to_str().unwrap());
                    assert!(catalogue().get(&name).is_some(), "{name}");
                    seen += 1;
                }
            }
        }
        assert!(seen > 200, "{seen}");
    });
}

#[test]
fn the_defaults_of_interfaces_are_this_kernel_s_own_values() {
    in_a_fresh_namespace(|| {
        for (name, key) in keys().filter(|(name, _)| InterfaceKey::of(name).is_some_and(|parts| parts.who != "lo")) {
            let (Some(default), Ok(text)) = (&key.default, fs::read_to_string(path(&name))) else { continue };
            assert_eq!(text.trim(), default, "{name}");
        }
    });
}

#[test]
fn a_key_of_an_interface_is_found_under_each_of_its_names() {
    let of =
        |name: &str| catalogue().get(name).map(|key| (key.name.as_str(), key.default.as_deref().unwrap_or_default()));
    assert_eq!(of("net.ipv4.conf.eth0/5.accept_source_route"), Some(("net.ipv4.conf.*.accept_source_route", "1")));
    assert_eq!(of("net.ipv4.conf.*.accept_source_route"), of("net.ipv4.conf.lo.accept_source_route"));
    assert_eq!(of("net.ipv4.conf.all.accept_source_route"), Some(("net.ipv4.conf.all.accept_source_route", "0")));
    assert_eq!(of("net.ipv4.conf.default.accept_source_route").unwrap().1, "1");
    // The neighbour tables have no `all`, and their `default` is the host's.
    assert_eq!(of("net.ipv4.neigh.all.locktime"), None);
    assert_eq!(key("net.ipv4.neigh.default.locktime").scope, Scope::Host);
    assert_eq!(key("net.ipv6.neigh.eth0.locktime").scope, Scope::Namespace);
    assert_eq!(of("net.ipv4.neigh.eth0.gc_thresh1"), None);
    assert_eq!(of("net.ipv4.conf.eth0.100.rp_filter"), None);
}

/// Keys of this kernel that are not in the catalogue, and why.
const LEFT_OUT: [(&str, &str); 2] =
    [("net.ipv4.tcp_fastopen_key", "a secret"), ("net.core.netdev_rss_key", "a secret")];

#[test]
fn every_key_of_this_kernel_below_net_is_in_the_catalogue_or_left_out_for_a_reason() {
    fn keys_below(folder: &std::path::Path, name: &str, found: &mut Vec<String>) {
        for entry in fs::read_dir(folder).into_iter().flatten().flatten() {
            // The name of an interface can have dots.
            let name = format!("{name}.{}", entry.file_name().to_str().unwrap().replace('.', "/"));
            match entry.file_type() {
                Ok(kind) if kind.is_dir() => keys_below(&entry.path(), &name, found),
                _ => found.push(name),
            }
        }
    }
    let mut found = Vec::new();
    keys_below(std::path::Path::new("/proc/sys/net"), "net", &mut found);
    assert!(found.len() > 100);
    found.retain(|name| catalogue().get(name).is_none() && !LEFT_OUT.iter().any(|(key, _)| key == name));
    assert_eq!(found, [] as [String; 0]);
}
