//! Tables: which programs write which keys, which module brings which keys, which keys only the first namespace has.
//!
//! In: a key. Out: what the tables know. Must not: look at the machine.

use crate::drift::glob::matches;

/// A program, and the keys that it is known to write while it runs.
pub(super) struct Writer {
    /// As in [`PROGRAMS`](crate::observe::surroundings::PROGRAMS).
    pub(super) program: &'static str,
    pub(super) keys: &'static [&'static str],
    /// How it comes to write them, as a sentence.
    pub(super) how: &'static str,
}

const FORWARDING: &[&str] = &[
    "net.ipv4.ip_forward",
    "net.ipv4.conf.*.forwarding",
    "net.ipv4.conf.*.route_localnet",
    "net.ipv6.conf.*.forwarding",
    "net.bridge.bridge-nf-call-*",
];

pub(super) const WRITERS: &[Writer] = &[
    Writer {
        program: "bpftune",
        keys: &[
            "net.ipv4.tcp_rmem",
            "net.ipv4.tcp_wmem",
            "net.ipv4.tcp_mem",
            "net.ipv4.udp_mem",
            "net.ipv4.tcp_moderate_rcvbuf",
            "net.ipv4.tcp_no_metrics_save",
            "net.ipv4.tcp_no_ssthresh_metrics_save",
            "net.ipv4.tcp_max_syn_backlog",
            "net.ipv4.tcp_syncookies",
            "net.ipv4.tcp_allowed_congestion_control",
            "net.core.rmem_*",
            "net.core.netdev_*",
            "net.core.flow_limit_cpu_bitmap",
            "net.core.high_order_alloc_disable",
            "net.ipv4.ipfrag_high_thresh",
            "net.ipv6.ip6frag_high_thresh",
            "net.ipv4.neigh.*.gc_thresh*",
            "net.ipv6.neigh.*.gc_thresh*",
            "net.ipv6.route.max_size",
        ],
        how: "It tunes this key automatically while it runs, and stops when another program writes the key.",
    },
    Writer {
        program: "tuned",
        keys: &[
            "net.core.somaxconn",
            "net.core.busy_*",
            "net.core.rmem_*",
            "net.core.wmem_*",
            "net.core.netdev_*",
            "net.ipv4.tcp_*",
            "net.ipv4.udp_mem",
            "net.ipv4.ip_local_port_range",
            "net.ipv4.conf.all.arp_*",
            "net.ipv4.neigh.*.gc_thresh*",
            "net.ipv6.neigh.*.gc_thresh*",
            "net.netfilter.nf_conntrack_*",
            "net.nf_conntrack_max",
            "vm.*",
            "kernel.sched_*",
        ],
        how: "One of its profiles may set this key (`tuned-adm active` shows the active profile).",
    },
    Writer {
        program: "dockerd",
        keys: FORWARDING,
        how: "It enables forwarding for its containers (`\"ip-forward\": false` in daemon.json prevents that).",
    },
    Writer { program: "containerd", keys: FORWARDING, how: "Its CNI plugins enable forwarding for containers." },
    Writer { program: "crio", keys: FORWARDING, how: "Its CNI plugins enable forwarding for containers." },
    Writer {
        program: "kubelet",
        keys: &[
            "vm.overcommit_memory",
            "vm.panic_on_oom",
            "kernel.panic",
            "kernel.panic_on_oops",
            "kernel.keys.root_max*",
            "net.ipv4.ip_forward",
            "net.ipv4.conf.*.route_localnet",
        ],
        how: "It sets this key unless `protectKernelDefaults` is on.",
    },
    Writer {
        program: "kube-proxy",
        keys: &[
            "net.netfilter.nf_conntrack_*",
            "net.nf_conntrack_max",
            "net.ipv4.conf.all.*",
            "net.ipv4.vs.*",
            "net.bridge.bridge-nf-call-*",
        ],
        how: "Its configuration (`conntrack`, `ipvs`) sets this key.",
    },
    Writer {
        program: "k3s-server",
        keys: &[
            "net.netfilter.nf_conntrack_*",
            "net.nf_conntrack_max",
            "net.ipv4.ip_forward",
            "net.ipv4.conf.*.forwarding",
            "net.ipv4.conf.*.route_localnet",
            "net.ipv6.conf.*.forwarding",
            "net.bridge.bridge-nf-call-*",
            "vm.overcommit_memory",
            "vm.panic_on_oom",
            "kernel.panic",
            "kernel.panic_on_oops",
        ],
        how: "It contains kubelet and kube-proxy, which set this key.",
    },
    Writer {
        program: "libvirtd",
        keys: &["net.ipv4.ip_forward", "net.ipv4.conf.*.forwarding", "net.ipv6.conf.*.forwarding"],
        how: "It enables forwarding for its virtual networks.",
    },
    Writer {
        program: "firewalld",
        keys: &["net.ipv4.ip_forward", "net.ipv4.conf.*.forwarding", "net.ipv6.conf.*.forwarding"],
        how: "It enables forwarding when a zone masquerades or forwards.",
    },
    Writer {
        program: "NetworkManager",
        keys: &[
            "net.ipv6.conf.*.accept_ra*",
            "net.ipv6.conf.*.disable_ipv6",
            "net.ipv6.conf.*.use_tempaddr",
            "net.ipv6.conf.*.addr_gen_mode",
            "net.ipv6.conf.*.hop_limit",
            "net.ipv6.conf.*.mtu",
            "net.ipv4.ip_forward",
            "net.ipv4.conf.*.forwarding",
            "net.ipv6.conf.*.forwarding",
        ],
        how: "It sets this key when it activates a connection, from the settings of that connection.",
    },
    Writer {
        program: "systemd-network",
        keys: &[
            "net.ipv6.conf.*.accept_ra*",
            "net.ipv6.conf.*.disable_ipv6",
            "net.ipv6.conf.*.use_tempaddr",
            "net.ipv6.conf.*.proxy_ndp",
            "net.ipv6.conf.*.mtu",
            "net.ipv4.conf.*.proxy_arp",
            "net.ipv4.conf.*.rp_filter",
            "net.ipv4.ip_forward",
            "net.ipv4.conf.*.forwarding",
            "net.ipv6.conf.*.forwarding",
        ],
        how: "systemd-networkd sets this key from the interface's `.network` file.",
    },
];

/// Keys that systemd itself raises when it starts; no person did.
pub(super) const SET_BY_INIT: [&str; 2] = ["fs.nr_open", "fs.file-max"];

/// Keys that appear when a module is loaded, by pattern.
const MODULES: &[(&str, &str)] = &[
    ("net.netfilter.nf_conntrack_*", "nf_conntrack"),
    ("net.netfilter.nf_flowtable_*", "nf_flow_table"),
    ("net.nf_conntrack_max", "nf_conntrack"),
    ("net.bridge.bridge-nf-*", "br_netfilter"),
    ("net.ipv4.vs.*", "ip_vs"),
    ("net.sctp.*", "sctp"),
    ("net.rds.*", "rds"),
    ("net.mpls.*", "mpls_router"),
    ("net.tipc.*", "tipc"),
    ("net.x25.*", "x25"),
    ("sunrpc.*", "sunrpc"),
    ("fs.nfs.nlm_*", "lockd"),
    ("dev.cdrom.*", "cdrom"),
];

/// Keys that only the machine's first network namespace has, beside those that the catalogue knows as such.
const HOST_ONLY: &[&str] = &[
    "net.ipv4.neigh.default.*",
    "net.ipv6.neigh.default.*",
    "net.ipv4.route.max_size",
    "net.ipv4.route.gc_*",
    "net.ipv4.route.error_*",
    "net.ipv4.route.redirect_*",
    "net.ipv4.inet_peer_*",
    "net.ipv4.udp_mem",
    "net.ipv4.fib_sync_mem",
    "net.ipv4.cipso_*",
    "net.core.netdev_*",
    "net.core.dev_weight*",
    "net.core.busy_*",
    "net.core.bpf_jit_*",
    "net.core.message_*",
    "net.core.flow_limit_*",
    "net.core.rps_sock_flow_entries",
    "net.core.gro_normal_batch",
    "net.core.max_skb_frags",
    "net.core.mem_pcpu_rsv",
    "net.core.skb_defer_max",
    "net.core.warnings",
    "net.core.default_qdisc",
    "net.core.devconf_inherit_init_net",
    "net.core.high_order_alloc_disable",
    // Older kernels do not have these in another namespace at all.
    "net.core.rmem_*",
    "net.core.wmem_*",
    "net.nf_conntrack_max",
];

/// Names that were never in the catalogue's kernels, or went before them; with what to use instead.
const LEGACY: &[(&str, &str)] = &[
    ("net.ipv4.ip_conntrack_*", "It was renamed to net.netfilter.nf_conntrack_*."),
    ("net.ipv4.netfilter.ip_conntrack_*", "It was renamed to net.netfilter.nf_conntrack_*."),
    ("net.ipv4.inet_peer_gc_*", "The garbage collector that it controlled was removed, without a replacement."),
    ("net.ipv4.tcp_tw_timeout", "Only some vendors' kernels have it; TIME_WAIT lasts 60 s by a constant."),
    ("net.ipv4.tcp_timewait_len", "No kernel has it; TIME_WAIT lasts 60 s by a constant."),
    ("net.ipv4.ip_bind_address_no_port", "It is a socket option, not a sysctl; the application sets it."),
    ("net.ipv4.tcp_keepalive", "The keys are tcp_keepalive_time, tcp_keepalive_intvl and tcp_keepalive_probes."),
];

/// Keys that do something when they are written and keep nothing; what they do.
const ACTIONS: &[(&str, &str)] = &[
    (
        "net.ipv4.route.flush",
        "A write makes the kernel forget what it has learned of routes (path MTU, redirects) once.",
    ),
    (
        "net.ipv6.route.flush",
        "A write makes the kernel forget what it has learned of routes (path MTU, redirects) once.",
    ),
    ("vm.compact_memory", "A write makes the kernel compact the memory once."),
    ("vm.drop_caches", "A write makes the kernel drop its caches once."),
];

/// What a key does that is an action and not a setting.
pub(super) fn action(key: &str) -> Option<&'static str> {
    ACTIONS.iter().find(|(name, _)| *name == key).map(|(_, what)| *what)
}

/// The program among the running ones that is known to write a key.
pub(super) fn writer(key: &str, is_running: impl Fn(&str) -> bool) -> Option<&'static Writer> {
    WRITERS.iter().find(|writer| is_running(writer.program) && writer.keys.iter().any(|pattern| matches(pattern, key)))
}

/// The module that a key comes with.
pub fn module_of(key: &str) -> Option<&'static str> {
    MODULES.iter().find(|(pattern, _)| matches(pattern, key)).map(|(_, module)| *module)
}

pub(super) fn is_host_only(key: &str) -> bool {
    HOST_ONLY.iter().any(|pattern| matches(pattern, key))
}

pub(super) fn legacy(key: &str) -> Option<&'static str> {
    LEGACY.iter().find(|(pattern, _)| matches(pattern, key)).map(|(_, text)| *text)
}

/// The placeholder of a template or a script that a text has: `$NIC`, `${mem}`, `{{ value }}`, `<%= value %>`, `@VALUE@`.
pub(super) fn placeholder(text: &str) -> Option<&str> {
    let between = |open: &str, close: &str| {
        let from = text.find(open)?;
        let length = text[from + open.len()..].find(close)?;
        text.get(from..from + open.len() + length + close.len())
    };
    let variable = || {
        let from = text.find('$')?;
        let name = text[from + 1..].split(|c: char| !(c.is_ascii_alphanumeric() || c == '_')).next()?;
        (!name.is_empty()).then(|| &text[from..=from + name.len()])
    };
    let pairs = [("{{", "}}"), ("<%", "%>"), ("${", "}"), ("$(", ")")];
    pairs.iter().find_map(|(open, close)| between(open, close)).or_else(variable).or_else(|| {
        let word = between("@", "@")?;
        (word.len() > 2 && word.trim_matches('@').bytes().all(|c| c.is_ascii_alphanumeric() || c == b'_'))
            .then_some(word)
    })
}

/// Whether the name of an interface is more likely a word that its reader should have replaced: `YOUR_NIC`.
pub(super) fn looks_like_placeholder(interface: &str) -> bool {
    let is_loud = interface.bytes().all(|c| c.is_ascii_uppercase() || c.is_ascii_digit() || c == b'_');
    is_loud && interface.contains('_')
}

/// The interface in `net.ipv4.conf.eth0.rp_filter` and the like, in the kernel's own spelling (`eth0.100`).
pub fn interface_of(key: &str) -> Option<String> {
    let mut parts = key.split('.');
    let (net, family, table) = (parts.next()?, parts.next()?, parts.next()?);
    let interface = parts.next()?;
    parts.next()?;
    let is_interface = net == "net"
        && ["ipv4", "ipv6"].contains(&family)
        && ["conf", "neigh"].contains(&table)
        && !["all", "default"].contains(&interface);
    is_interface.then(|| interface.replace('/', "."))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::observe::surroundings::PROGRAMS;

    #[test]
    fn every_writer_is_a_program_that_is_looked_for() {
        for writer in WRITERS {
            assert!(PROGRAMS.contains(&writer.program), "{}", writer.program);
        }
    }

    #[test]
    fn interfaces_are_found_in_the_keys_that_have_one() {
        assert_eq!(interface_of("net.ipv4.conf.eth0/5.rp_filter"), Some("eth0.5".to_owned()));
        assert_eq!(interface_of("net.ipv6.neigh.br0.mcast_solicit"), Some("br0".to_owned()));
        for key in ["net.ipv4.conf.all.rp_filter", "net.ipv4.conf.eth0", "net.ipv4.tcp_rmem", "net.core.conf.x.y"] {
            assert_eq!(interface_of(key), None, "{key}");
        }
    }
}
