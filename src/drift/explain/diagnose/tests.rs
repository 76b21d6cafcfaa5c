//! The diagnosis on made-up systems, one fact at a time.

use std::collections::{BTreeMap, BTreeSet};

use super::*;
use crate::drift::model::{FOLLOWS, Resolution, Resolved};
use crate::keys::Written;
use crate::observe::kernels::Kernels;
use crate::observe::persisted::Loader;
use crate::observe::surroundings::Surroundings;

/// A made-up system with one line of configuration.
struct System {
    resolution: Resolution,
    sysctls: Sysctls,
    around: Surroundings,
    initial: bool,
    rehearsed: BTreeMap<String, Answer>,
}

const FILE: &str = "/etc/sysctl.d/a.conf";

fn line(value: &str) -> Assignment {
    Assignment {
        value: value.to_owned(),
        text: value.to_owned(),
        written: Written::default(),
        file: FILE.to_owned(),
        line: 3,
        span: 0..1,
        ignore_failure: false,
        from_glob: None,
        spread_from: None,
    }
}

impl System {
    fn new(key: &str, boot: &str, runtime: Option<&str>) -> Self {
        let mut system = Self {
            resolution: Resolution {
                loopback: Vec::new(),
                loader: Loader::Systemd,
                keys: BTreeMap::new(),
                problems: Vec::new(),
                files: Vec::new(),
            },
            sysctls: Sysctls::from([("net.ipv6.conf.all.forwarding".to_owned(), "0".to_owned())]),
            around: Surroundings { own_boot: Some(true), ..Surroundings::default() },
            initial: true,
            rehearsed: BTreeMap::new(),
        };
        system.set(key, line(boot), runtime);
        system
    }

    fn set(&mut self, key: &str, mut winner: Assignment, runtime: Option<&str>) {
        winner.written = keys::written(key, runtime, &winner.text);
        self.resolution.keys.insert(key.to_owned(), Resolved { winner, shadowed: Vec::new(), if_refused: Vec::new() });
        match runtime {
            Some(text) => drop(self.sysctls.insert(key.to_owned(), text.to_owned())),
            None => drop(self.around.keys.insert(key.to_owned(), KeyState::Absent)),
        }
    }

    /// Status and code of the first key's cause.
    fn told(&self) -> (Status, &'static str) {
        let told = self.diagnosed();
        let Diagnosis { status, cause } = &told[0];
        (*status, cause.as_ref().map_or("", |cause| cause.code))
    }

    fn text(&self) -> String {
        self.diagnosed().remove(0).cause.unwrap().text
    }

    fn all(&self) -> Vec<KeyDrift> {
        diagnose(&Evidence {
            resolution: &self.resolution,
            sysctls: Some(&self.sysctls),
            surroundings: &self.around,
            kernels: &Kernels::running("6.18.0"),
            initial: self.initial,
            rehearsed: &self.rehearsed,
        })
    }

    fn diagnosed(&self) -> Vec<Diagnosis> {
        self.all()
            .into_iter()
            .filter(|drift| drift.boot.is_some())
            .map(|drift| Diagnosis { status: drift.status, cause: drift.cause })
            .collect()
    }
}

const TIMEOUT: &str = "net.ipv4.tcp_fin_timeout";
const CONNTRACK: &str = "net.netfilter.nf_conntrack_tcp_timeout_established";
const FILTER: &str = "net.ipv4.conf.eth0/5.rp_filter";

fn names<const N: usize>(names: [&str; N]) -> BTreeSet<String> {
    names.map(str::to_owned).into()
}

#[test]
fn values_are_compared_as_the_kernel_reads_them() {
    assert!(same("net.ipv4.tcp_rmem", "4096\t131072\t6291456", " 4096 131072 6291456"));
    assert!(same(TIMEOUT, "0x3c", "60"));
    assert!(same("net.ipv4.ip_local_reserved_ports", "5,3,4", "3-5"));
    assert!(same("kernel.core_pattern", "a  b", "a b"));
    assert!(!same("kernel.unknown", "010", "8"), "of a key that we do not know only the words are compared");
}

#[test]
fn a_key_of_a_module_waits_for_it_or_came_with_it_too_late() {
    let mut system = System::new(CONNTRACK, "7440", None);
    system.around.modules = Some(names([]));
    assert_eq!(system.told(), (Status::NotInForce, "module_not_loaded"));

    let mut system = System::new(CONNTRACK, "7440", Some("432000"));
    system.around.modules = Some(names(["nf_conntrack"]));
    assert_eq!(system.told(), (Status::NotInForce, "module_loaded_later"));
    assert!(system.text().contains("nf_conntrack"));

    system.around.modules_at_boot = names(["nf_conntrack"]);
    assert_ne!(system.told().1, "module_loaded_later", "it was there before the files were loaded");
}

#[test]
fn an_interface_s_key_tells_when_the_interface_came() {
    let mut system = System::new(FILTER, "2", None);
    assert_eq!(system.told(), (Status::NotInForce, "interface_missing"));
    assert!(system.text().contains("eth0.5"));

    let mut later = System::new(FILTER, "2", Some("0"));
    later.around.interfaces = names(["eth0.5"]);
    later.sysctls.insert("net.ipv4.conf.default.rp_filter".to_owned(), "0".to_owned());
    assert_eq!(later.told(), (Status::NotInForce, "interface_came_later"), "it has the value of default");

    later.around.programs.insert("systemd-udevd".to_owned(), 5);
    assert_eq!(later.told(), (Status::RuntimeOnly, "changed_at_runtime"), "udev loads the files for it");

    later.around.loader_ran_at = Some(100);
    later.around.interface_since.insert("eth0.5".to_owned(), 160);
    assert_eq!(later.told(), (Status::NotInForce, "interface_came_later"));
    assert!(later.text().contains("1 min"), "{}", later.text());

    later.around.interface_since.insert("eth0.5".to_owned(), 50);
    assert_eq!(later.told(), (Status::RuntimeOnly, "changed_at_runtime"), "it was there before the files");

    system = System::new("net.ipv4.conf.lo.rp_filter", "2", Some("0"));
    system.sysctls.insert("net.ipv4.conf.default.rp_filter".to_owned(), "0".to_owned());
    assert_eq!(system.told().0, Status::RuntimeOnly, "lo is always there first");
}

#[test]
fn a_file_that_is_newer_than_the_loaders_run_was_not_loaded() {
    let mut system = System::new(TIMEOUT, "30", Some("60"));
    system.around.loader_ran_at = Some(1000);
    system.around.changed_at.insert(FILE.to_owned(), 1000);
    assert_eq!(system.told(), (Status::RuntimeOnly, "changed_at_runtime"), "loaded, and changed since");
    system.around.changed_at.insert(FILE.to_owned(), 4600);
    assert_eq!(system.told(), (Status::NotInForce, "file_changed_since"));
    assert!(system.text().contains("1 h"), "{}", system.text());
}

#[test]
fn without_a_loader_s_run_the_default_tells_whether_the_files_were_loaded() {
    assert_eq!(System::new(TIMEOUT, "30", Some("60")).told(), (Status::NotInForce, "at_default"));
    assert_eq!(System::new(TIMEOUT, "30", Some("45")).told(), (Status::RuntimeOnly, "changed_at_runtime"));
    assert_eq!(System::new("kernel.panic", "30", Some("45")).told(), (Status::NotInForce, "unknown"));

    let mut without_systemd = System::new("kernel.panic", "30", Some("45"));
    without_systemd.around.init = Some("tini".to_owned());
    assert_eq!(without_systemd.told(), (Status::NotInForce, "loader_did_not_run"));
    assert!(without_systemd.text().contains("tini"));
}

#[test]
fn a_congestion_control_that_the_kernel_lacks_is_named() {
    let mut system = System::new("net.ipv4.tcp_congestion_control", "htcp", Some("cubic"));
    assert_ne!(system.told().1, "congestion_control_missing", "nobody knows what there is");
    system.sysctls.insert("net.ipv4.tcp_available_congestion_control".to_owned(), "reno cubic".to_owned());
    assert_eq!(system.told(), (Status::NotInForce, "congestion_control_missing"));
    assert!(system.text().contains("tcp_htcp"), "{}", system.text());
    system.sysctls.insert("net.ipv4.tcp_available_congestion_control".to_owned(), "reno cubic htcp".to_owned());
    assert_ne!(system.told().1, "congestion_control_missing");
}

#[test]
fn a_text_that_is_stored_in_part_is_invalid_though_its_value_is_there() {
    let key = "net.ipv4.tcp_rmem";
    let mut system = System::new(key, "4096 65536 \\", Some("4096\t65536\t6291456"));
    assert_eq!(system.told(), (Status::Invalid, "refused_in_part"));
    assert!(system.text().contains("cannot continue on the next line"), "{}", system.text());
    system.set(key, line("1024 65536 6291456"), Some("1024\t65536\t6291456"));
    assert_eq!(system.told(), (Status::InSync, ""), "this kernel accepts less than others do");
}

#[test]
fn keys_that_only_the_host_has_are_out_of_scope_elsewhere() {
    let mut system = System::new("net.ipv4.neigh.default.base_reachable_time_ms", "20000", None);
    system.initial = false;
    assert_eq!(system.told(), (Status::WrongScope, "host_only"));
}

#[test]
fn a_running_program_that_writes_the_key_is_named() {
    for (program, key) in [
        ("tuned", "net.core.somaxconn"),
        ("bpftune", "net.ipv4.tcp_max_syn_backlog"),
        ("dockerd", "net.ipv4.ip_forward"),
        ("kubelet", "vm.overcommit_memory"),
        ("NetworkManager", "net.ipv6.conf.eth0.accept_ra"),
    ] {
        let mut system = System::new(key, "1", Some("2"));
        system.around.programs.insert(program.to_owned(), 77);
        assert_eq!(system.told(), (Status::NotInForce, "other_program"), "{program} {key}");
        assert!(system.text().starts_with(&format!("{program} is running (process 77).")), "{}", system.text());
    }
    let mut system = System::new(TIMEOUT, "30", Some("45"));
    system.around.programs.insert("dockerd".to_owned(), 77);
    assert_eq!(system.told().1, "changed_at_runtime", "Docker does not write that key");
}

#[test]
fn tuned_s_own_profile_says_what_it_sets() {
    let mut system = System::new(TIMEOUT, "30", Some("45"));
    system.around.programs.insert("tuned".to_owned(), 77);
    assert_eq!(system.told().1, "other_program", "it may set any tcp key");
    system.around.tuned = Some(BTreeMap::new());
    assert_eq!(system.told().1, "changed_at_runtime", "its profile does not");
    system.around.tuned = Some(BTreeMap::from([(TIMEOUT.to_owned(), "45".to_owned())]));
    assert_eq!(system.told().1, "other_program");
    assert!(system.text().ends_with("sets this key to `45`."), "{}", system.text());
}

#[test]
fn the_kernel_s_own_word_counts_more_than_the_catalogue_s() {
    let key = "net.ipv4.ip_local_port_range";
    let mut system = System::new(key, "500 60999", Some("32768 60999"));
    system.rehearsed.insert(key.to_owned(), Answer::Refused("Invalid argument".to_owned()));
    assert_eq!(system.told(), (Status::Invalid, "refused"));

    let taken = |text: &str| Answer::Taken { at_once: text.to_owned(), at_end: text.to_owned() };
    system.rehearsed.insert(key.to_owned(), taken("1024 60999"));
    assert_eq!(system.told(), (Status::NotInForce, "changed_by_kernel"));
    system.rehearsed.insert(key.to_owned(), taken("32768 60999"));
    assert_eq!(system.told(), (Status::InSync, "changed_by_kernel"), "what the kernel made of it is in force");

    assert_eq!(System::new("net.ipv4.tcp_tw_reuse", "9", Some("2")).told(), (Status::Invalid, "out_of_range"));
    let mut allowed = System::new("net.ipv4.tcp_tw_reuse", "9", Some("2"));
    allowed.rehearsed.insert("net.ipv4.tcp_tw_reuse".to_owned(), taken("9"));
    assert_eq!(allowed.told(), (Status::NotInForce, "at_default"), "a newer kernel may take more");
}

#[test]
fn keys_of_the_machine_are_out_of_scope_elsewhere() {
    let mut system = System::new("net.ipv4.tcp_mem", "1 2 3", None);
    system.initial = false;
    assert_eq!(system.told(), (Status::WrongScope, "host_only"));
    let mut system = System::new("net.core.rmem_max", "1", Some("2"));
    system.initial = false;
    assert_eq!(system.told(), (Status::WrongScope, "read_only_in_namespace"));
    system.sysctls.insert("net.core.rmem_max".to_owned(), "1".to_owned());
    assert_eq!(system.told(), (Status::InSync, ""), "the host has set it to the same");
}

#[test]
fn a_namespace_that_no_boot_set_has_the_kernels_defaults() {
    let mut system = System::new("net.core.somaxconn", "65535", Some("4096"));
    system.initial = false;
    system.around.own_boot = Some(false);
    assert_eq!(system.told(), (Status::NotInForce, "namespace_defaults"));
    system.sysctls.insert("net.core.somaxconn".to_owned(), "100".to_owned());
    assert_eq!(system.told(), (Status::NotInForce, "namespace_value"));
    assert!(!system.diagnosed()[0].cause.as_ref().unwrap().text.contains("reboot"), "no boot undoes it");
}

#[test]
fn a_value_that_no_file_sets_is_runtime_only_where_a_boot_would_undo_it() {
    let mut system = System::new("net.core.somaxconn", "4096", Some("4096"));
    system.sysctls.insert("net.ipv4.tcp_fin_timeout".to_owned(), "30".to_owned());
    system.initial = false;
    let found = |system: &System| system.all().iter().any(|key| key.status == Status::RuntimeOnly);
    assert!(found(&system), "in a container whose process 1 loads the files");
    for beside in [Some(false), None] {
        system.around.own_boot = beside;
        assert!(!found(&system), "in a namespace that is not, or may not be, that of process 1");
    }
    system.around = Surroundings { own_boot: Some(true), sysctls_read_only: true, ..Surroundings::default() };
    assert!(!found(&system), "in a container that cannot write its sysctls");
}

#[test]
fn a_container_with_read_only_sysctls_cannot_set_what_its_files_say() {
    let mut system = System::new("net.ipv4.tcp_fin_timeout", "30", Some("60"));
    system.initial = false;
    system.around.sysctls_read_only = true;
    assert_eq!(system.told(), (Status::WrongScope, "read_only_mount"));
}

#[test]
fn what_is_gone_is_told_from_what_never_was() {
    for (key, code, words) in [
        ("net.ipv4.tcp_tw_recycle", "removed", "4.12"),
        ("net.ipv4.tcp_frto_response", "removed", "3.10"),
        ("net.ipv4.ip_conntrack_max", "removed", "nf_conntrack"),
        ("net.ipv4.tcp_timewait_len", "legacy", "constant"),
        ("net.ipv4.somaxconn", "unknown_key", "net.core.somaxconn"),
        ("net.ipv4.tcp_fin_timout", "unknown_key", "net.ipv4.tcp_fin_timeout"),
        ("net.foo.bar", "unknown_key", "no such key"),
    ] {
        let system = System::new(key, "1", None);
        assert_eq!(system.told(), (Status::Dead, code), "{key}");
        assert!(system.text().contains(words), "{}", system.text());
    }
    let mut system = System::new("net.ipv6.conf.all.accept_ra", "1", None);
    system.sysctls.clear();
    assert_eq!(system.told(), (Status::NotInForce, "no_ipv6"));
}

#[test]
fn a_key_that_a_kernel_is_too_old_for_is_told_from_one_that_it_was_built_without() {
    let newer = System::new("net.core.qdisc_max_burst", "1000", None);
    assert_eq!(newer.told(), (Status::Dead, "newer_kernel"));
    assert!(newer.text().contains("since 6.19"), "{}", newer.text());
    let left_out = System::new("net.ipv6.calipso_cache_enable", "1", None);
    assert_eq!(left_out.told(), (Status::Dead, "not_in_this_kernel"));
}

#[test]
fn a_key_that_follows_another_says_so() {
    let mut system = System::new("net.ipv4.ip_forward", "1", Some("0"));
    let follower = Assignment { spread_from: Some("net.ipv4.ip_forward".to_owned()), ..line("1") };
    system.set("net.ipv4.conf.lo.forwarding", follower, Some("0"));
    assert_eq!(system.told(), (Status::NotInForce, FOLLOWS));
    system.sysctls.insert("net.ipv4.ip_forward".to_owned(), "1".to_owned());
    assert_eq!(system.told(), (Status::RuntimeOnly, "changed_at_runtime"));

    let mut system = System::new("net.ipv4.conf.default.rp_filter", "1", Some("1"));
    let follower = Assignment { spread_from: Some("net.ipv4.conf.default.rp_filter".to_owned()), ..line("1") };
    system.set("net.ipv4.conf.eth0.rp_filter", follower, Some("2"));
    system.around.interfaces = names(["eth0"]);
    let told = system.diagnosed();
    assert_eq!(told[1].status, Status::RuntimeOnly);
    assert_eq!(told[1].cause.as_ref().unwrap().code, "set_explicitly");
}

#[test]
fn only_a_value_that_is_no_kernel_s_default_was_set_by_somebody() {
    let unmentioned = |values: &[(&str, &str)]| {
        let mut system = System::new(TIMEOUT, "60", Some("60"));
        system.sysctls.extend(values.iter().map(|(key, value)| ((*key).to_owned(), (*value).to_owned())));
        let evidence = Evidence {
            resolution: &system.resolution,
            sysctls: Some(&system.sysctls),
            surroundings: &system.around,
            kernels: &Kernels::running("6.18.0"),
            initial: true,
            rehearsed: &system.rehearsed,
        };
        let found = diagnose(&evidence).into_iter().filter(|drift| drift.status == Status::RuntimeOnly);
        found.map(|drift| drift.key).collect::<Vec<_>>()
    };
    let healthy = [
        ("net.core.somaxconn", "128"),
        ("net.core.rmem_max", "4194304"),
        ("net.core.default_qdisc", "fq_codel"),
        ("fs.nr_open", "1073741816"),
        ("net.ipv4.tcp_mem", "1 2 3"),
        ("net.ipv4.tcp_sack", "1"),
    ];
    assert_eq!(unmentioned(&healthy), Vec::<String>::new());
    assert_eq!(unmentioned(&[("net.core.somaxconn", "1000")]), ["net.core.somaxconn"]);
    // Nothing reads it.
    assert_eq!(unmentioned(&[("net.ipv6.conf.all.accept_ra", "2")]), Vec::<String>::new());
}

#[test]
fn an_interface_whose_key_differs_and_that_does_the_same_for_the_sake_of_all_is_in_sync() {
    let status = |all: &str| {
        let mut system = System::new("net.ipv4.conf.all.log_martians", all, Some(all));
        let passed = Assignment { spread_from: Some("net.ipv4.conf.default.log_martians".to_owned()), ..line("1") };
        system.set("net.ipv4.conf.eth0.log_martians", passed, Some("0"));
        system.all().iter().find(|drift| drift.key.contains("eth0")).unwrap().status
    };
    assert_eq!((status("1"), status("0")), (Status::InSync, Status::RuntimeOnly));
}

#[test]
fn what_was_not_read_is_not_in_sync() {
    let mut system = System::new(TIMEOUT, "30", None);
    system.around.keys.insert(TIMEOUT.to_owned(), KeyState::Unread("permission denied".to_owned()));
    assert_eq!(system.told(), (Status::Unread, "unread"));
    assert_eq!(system.text(), "Permission denied.");
    system.around.keys.clear();
    assert_eq!(system.told(), (Status::Unread, "unread"));
}
