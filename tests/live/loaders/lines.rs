//! Trees of files, each with the situation that it stands for: what a loader makes of a line, and the kernel of a value.
//! Traps of the two loaders. A name that begins with `nothing`: neither loader changes a key.

pub(crate) const LINES: &[(&str, &str)] = &[
    (
        "white space around everything",
        "== /etc/sysctl.d/a.conf\n <TAB>net.ipv4.tcp_fin_timeout<TAB> =<TAB> 31 <TAB>\n\n   \n  # net.core.somaxconn = 1\n",
    ),
    (
        "a comment behind a value is part of it, and the kernel takes neither",
        "== /etc/sysctl.d/a.conf\nnet.core.somaxconn = 12\nnet.ipv4.tcp_congestion_control = refused # a comment\n",
    ),
    (
        "a comment behind a number is left, one that touches it spoils it",
        "== /etc/sysctl.d/a.conf\nnet.ipv4.tcp_keepalive_intvl = 40 # was 75\nnet.ipv4.ip_local_port_range = 21000 61000 ; wider\nnet.ipv4.tcp_keepalive_time = 1200#\n",
    ),
    (
        "a router with a comment is a router",
        "== /etc/sysctl.d/a.conf\nnet.ipv4.ip_forward = 1 # this one routes\n== /etc/sysctl.d/b.conf\nnet.core.somaxconn = 10\n",
    ),
    (
        "all interfaces forward, and the line says why",
        "== /etc/sysctl.d/a.conf\nnet.ipv4.conf.all.forwarding = 1 ; for the tunnel\n",
    ),
    (
        "an interface that follows default follows its number, not its comment",
        "== /etc/sysctl.d/a.conf\nnet.ipv4.conf.default.log_martians = 1 # noisy\nnet.ipv6.conf.all.forwarding = 1 # too\n",
    ),
    (
        "numbers that are left out stay",
        "== /etc/sysctl.d/a.conf\nnet.ipv4.tcp_rmem = 8192\nnet.ipv4.tcp_wmem = 8192 32768\nnet.ipv4.ip_local_port_range = 25000\n",
    ),
    (
        "a line fills what the line before it left",
        "== /etc/sysctl.d/a.conf\nnet.ipv4.tcp_rmem = 8192 65536 1048576\n== /etc/sysctl.d/b.conf\nnet/ipv4/tcp_rmem = 4096\n",
    ),
    (
        "numbers too many are nobody's",
        "== /etc/sysctl.d/a.conf\nnet.ipv4.tcp_wmem = 8192 32768 1048576 7 8\nnet.ipv4.ip_local_port_range = 21000 61000 1\nnet.ipv4.tcp_fin_timeout = 31 32\n",
    ),
    (
        "a triple that goes on in the next line is stored as far as it goes",
        "== /etc/sysctl.d/a.conf\nnet.ipv4.tcp_rmem = 8192 98304 \\\n 2097152\nnet.ipv4.tcp_fin_timeout = \\\n31\nnet.ipv4.ip_local_port_range = 21000 \\\n61000\n",
    ),
    (
        "numbers that the kernel rounds to its ticks",
        "== /etc/sysctl.d/a.conf\nnet.ipv4.icmp_ratelimit = 10\nnet.ipv4.neigh.lo.locktime = 33\nnet.ipv4.icmp_msgs_per_sec = 100\n",
    ),
    (
        "thresholds that cross on the way: the high one is refused, the low one is not",
        "== /etc/sysctl.d/a.conf\nnet.ipv4.ipfrag_high_thresh = 512000\nnet.ipv4.ipfrag_low_thresh = 446464\nnet.ipv6.ip6frag_low_thresh = 100000\nnet.ipv6.ip6frag_high_thresh = 200000\n",
    ),
    (
        "ports below the first unprivileged one",
        "== /etc/sysctl.d/a.conf\nnet.ipv4.ip_local_port_range = 900 60000\nnet.ipv4.ip_unprivileged_port_start = 800\nnet.ipv4.tcp_fin_timeout = 31\n",
    ),
    (
        "nothing: a name of no congestion control",
        "== /etc/sysctl.d/a.conf\nnet.ipv4.tcp_congestion_control = no_such_one\n",
    ),
    (
        "nothing: a name with a comment",
        "== /etc/sysctl.d/a.conf\nnet.ipv4.tcp_congestion_control = reno # steady\nnet.ipv4.ip_local_reserved_ports = 8080 # web\n",
    ),
    (
        "nothing: keys that this namespace does not have",
        "== /etc/sysctl.d/a.conf\nnet.ipv4.neigh.default.base_reachable_time_ms = 20000\nnet.ipv4.neigh.default.gc_thresh3 = 4096\n",
    ),
    (
        "a triple keeps its spaces",
        "== /etc/sysctl.d/a.conf\nnet.ipv4.tcp_rmem = 8192<TAB>131072   4194304\nnet.ipv4.ip_local_port_range=20000 60001\n",
    ),
    (
        "a line without an equals sign is passed over",
        "== /etc/sysctl.d/a.conf\nnet.ipv4.tcp_fin_timeout 31\nnet.core.somaxconn=10\n",
    ),
    ("a line without a name is passed over", "== /etc/sysctl.d/a.conf\n = 31\nnet.core.somaxconn=10\n"),
    ("the last line needs no end", "== /etc/sysctl.d/a.conf\nnet.core.somaxconn=10<END>\n"),
    ("lines of Windows", "== /etc/sysctl.d/a.conf\nnet.core.somaxconn=10<CR>\nnet.ipv4.tcp_fin_timeout = 31<CR>\n"),
    (
        "lines of old Macs are lines to systemd only",
        "== /etc/sysctl.d/a.conf\n# comment<CR>net.core.somaxconn=10<CR>net.ipv4.tcp_fin_timeout=31\n",
    ),
    (
        "behind a NUL procps sees nothing",
        "== /etc/sysctl.d/a.conf\nnet.core.somaxconn=10<NUL>net.ipv4.tcp_fin_timeout=31\n",
    ),
    ("a form feed is white space to procps only", "== /etc/sysctl.d/a.conf\n<FF>net.core.somaxconn=10<VT>\n"),
    (
        "a byte order mark hides the first key",
        "== /etc/sysctl.d/a.conf\n\u{feff}net.core.somaxconn=10\nnet.ipv4.tcp_fin_timeout=31\n",
    ),
    (
        "a line of a megabyte ends the file for systemd",
        "== /etc/sysctl.d/a.conf\nnet.core.somaxconn=10\n#<LONG>\nnet.ipv4.tcp_fin_timeout=31\n== /etc/sysctl.d/b.conf\nnet.ipv4.tcp_syn_retries=3\n",
    ),
    (
        "a value of a megabyte is refused, and the file ends for systemd",
        "== /etc/sysctl.d/a.conf\nnet.core.somaxconn=10\nnet.core.somaxconn=refused<LONG>\nnet.ipv4.tcp_fin_timeout=31\n",
    ),
    (
        "no line of the file continues",
        "== /etc/sysctl.d/a.conf\nnet.core.somaxconn=10\nnet.ipv4.tcp_congestion_control = refused \\\n cubic\n",
    ),
    ("numbers in other notations", "== /etc/sysctl.d/a.conf\nnet.ipv4.tcp_fin_timeout=0x1e\nnet.core.somaxconn=0100\n"),
    (
        "an empty value leaves the key alone",
        "== /etc/sysctl.d/a.conf\nnet.core.somaxconn=10\nnet.ipv4.tcp_fin_timeout=31\n== /etc/sysctl.d/b.conf\nnet.ipv4.tcp_fin_timeout=\n",
    ),
    (
        "a refused value: procps has written the one before, systemd has not",
        "== /etc/sysctl.d/a.conf\nnet.core.somaxconn=10\n== /etc/sysctl.d/b.conf\nnet.core.somaxconn=refused\n",
    ),
    // Names of keys.
    ("slashes for dots", "== /etc/sysctl.d/a.conf\nnet/core/somaxconn=10\nnet/ipv4/tcp_fin_timeout=31\n"),
    (
        "two spellings are one key, and the later line wins",
        "== /etc/sysctl.d/a.conf\nnet/core/somaxconn=10\nnet.core.somaxconn=11\n== /etc/sysctl.d/b.conf\nnet.ipv4.tcp_fin_timeout=31\nnet/ipv4/tcp_fin_timeout=32\n",
    ),
    (
        "a mixed spelling is another key",
        "== /etc/sysctl.d/a.conf\nnet.core/somaxconn=10\nnet/ipv4.tcp_fin_timeout=31\nnet.ipv4.tcp_syn_retries=3\n",
    ),
    (
        "a dot in an interface's name, with dots",
        "== /etc/sysctl.d/a.conf\nnet.ipv4.conf.eth0/100.rp_filter=2\nnet.ipv4.conf.eth0.100.log_martians=1\n",
    ),
    (
        "a dot in an interface's name, with slashes",
        "== /etc/sysctl.d/a.conf\nnet/ipv4/conf/eth0.100/rp_filter=2\nnet/ipv4/conf/eth0/100/log_martians=1\n",
    ),
    (
        "doubled and leading separators",
        "== /etc/sysctl.d/a.conf\nnet..core.somaxconn=10\n/net/ipv4/tcp_fin_timeout=31\n.net.ipv4.tcp_syn_retries=3\nnet.ipv4.tcp_synack_retries.=4\n",
    ),
    (
        "a name with the path of /proc/sys is none",
        "== /etc/sysctl.d/a.conf\n/proc/sys/net/core/somaxconn=10\nnet.ipv4.tcp_syn_retries=3\n",
    ),
    ("a way back in a path", "== /etc/sysctl.d/a.conf\nnet/ipv4/../core/somaxconn=10\nnet/ipv4/./tcp_syn_retries=3\n"),
    (
        "a key that does not exist stops nothing else",
        "== /etc/sysctl.d/a.conf\nnet.ipv4.tcp_tw_recycle=1\nnet.core.somaxconn=10\n",
    ),
    ("a directory is no key", "== /etc/sysctl.d/a.conf\nnet.ipv4=1\nnet.core.somaxconn=10\n"),
    ("capitals are others", "== /etc/sysctl.d/a.conf\nnet.core.SOMAXCONN=9\nnet.core.somaxconn=10\n"),
    // The dash.
    ("a dash before a key", "== /etc/sysctl.d/a.conf\n-net.core.somaxconn=10\n-net.ipv4.tcp_tw_recycle=1\n"),
    ("a dash and a space: a key to systemd only", "== /etc/sysctl.d/a.conf\n- net.core.somaxconn=10\n"),
    ("two dashes: procps forgives", "== /etc/sysctl.d/a.conf\n--net.core.somaxconn=10\n"),
    (
        "a line with a dash shadows one without",
        "== /etc/sysctl.d/a.conf\nnet.core.somaxconn=10\n-net.core.somaxconn=11\n",
    ),
    (
        "an excluded key takes the line before back, to systemd",
        "== /etc/sysctl.d/a.conf\nnet.core.somaxconn=10\n-net.core.somaxconn\n",
    ),
    ("a line after the exclusion counts", "== /etc/sysctl.d/a.conf\n-net.core.somaxconn\nnet.core.somaxconn=10\n"),
    (
        "an exclusion in a later file takes a vendor's line back",
        "== /usr/lib/sysctl.d/a.conf\nnet.core.somaxconn=10\nnet.ipv4.tcp_fin_timeout=31\n== /etc/sysctl.d/b.conf\n-net/core/somaxconn\n",
    ),
    // Patterns.
    ("a pattern for interfaces", "== /etc/sysctl.d/a.conf\nnet.ipv4.conf.*.log_martians=1\n"),
    (
        "a pattern with an excluded key",
        "== /etc/sysctl.d/a.conf\nnet.ipv4.conf.*.log_martians=1\n-net.ipv4.conf.all.log_martians\n",
    ),
    (
        "the exclusion comes before the pattern, in another file",
        "== /etc/sysctl.d/a.conf\n-net.ipv4.conf.all.log_martians\n== /etc/sysctl.d/b.conf\nnet/ipv4/conf/*/log_martians=1\n",
    ),
    (
        "an excluded interface with a dot in its name",
        "== /etc/sysctl.d/a.conf\nnet.ipv4.conf.*.log_martians=1\n-net.ipv4.conf.eth0/100.log_martians\n",
    ),
    (
        "an excluded pattern is none to procps 4.0.2 and to systemd",
        "== /etc/sysctl.d/a.conf\nnet.ipv4.conf.*.log_martians=1\n-net.ipv4.conf.eth*.log_martians\n",
    ),
    (
        "the same pattern excluded takes it back, to systemd and procps",
        "== /etc/sysctl.d/a.conf\nnet.ipv4.conf.*.log_martians=1\nnet.core.somaxconn=10\n-net.ipv4.conf.*.log_martians\n",
    ),
    (
        "a key of its own wins over a pattern that comes later",
        "== /etc/sysctl.d/a.conf\nnet.ipv4.conf.lo.log_martians=0\n== /etc/sysctl.d/b.conf\nnet.ipv4.conf.*.log_martians=1\n",
    ),
    (
        "a key of its own in another spelling wins over a pattern",
        "== /etc/sysctl.d/a.conf\nnet.ipv4.tcp_keepalive_*=5\n== /etc/sysctl.d/b.conf\nnet/ipv4/tcp_keepalive_time=6\n",
    ),
    (
        "to procps a doubled separator makes a key that no pattern leaves out",
        "== /etc/sysctl.d/a.conf\nnet.ipv4..tcp_keepalive_time=6\nnet.ipv4.tcp_keepalive_*=5\n",
    ),
    (
        "of two patterns the later one wins",
        "== /etc/sysctl.d/a.conf\nnet.ipv4.tcp_keepalive_*=5\nnet.ipv4.tcp_keep*_probes=6\nnet.ipv4.tcp_keepalive_i*=7\n",
    ),
    (
        "a pattern repeated with another value moves to the end",
        "== /etc/sysctl.d/a.conf\nnet.ipv4.tcp_keepalive_*=5\nnet.ipv4.tcp_keep*_probes=6\nnet.ipv4.tcp_keepalive_*=7\n",
    ),
    (
        "a pattern repeated with the same value stays where it is, to systemd",
        "== /etc/sysctl.d/a.conf\nnet.ipv4.tcp_keepalive_*=5\nnet.ipv4.tcp_keep*_probes=6\nnet.ipv4.tcp_keepalive_*=5\n",
    ),
    (
        "question marks and brackets",
        "== /etc/sysctl.d/a.conf\nnet.ipv4.tcp_syn?????retries=4\nnet.ipv4.tcp_[rx]mem=8192 131072 4194304\nnet.ipv4.tcp_keepalive_[!t]*=5\n",
    ),
    (
        "a star does not cross levels",
        "== /etc/sysctl.d/a.conf\nnet.*.somaxconn=10\nnet.*.tcp_fin_timeout=31\nnet.*.rp_filter=1\n",
    ),
    ("nothing: a pattern that matches no key", "== /etc/sysctl.d/a.conf\nnet.ipv4.no_such_*=1\n"),
    // Order in the kernel.
    ("default goes to the interfaces that nobody set", "== /etc/sysctl.d/a.conf\nnet.ipv4.conf.default.rp_filter=2\n"),
    (
        "an interface that was set before keeps its value",
        "== /etc/sysctl.d/a.conf\nnet.ipv4.conf.lo.rp_filter=1\nnet.ipv4.conf.default.rp_filter=2\n",
    ),
    (
        "an interface that is set later has the later value",
        "== /etc/sysctl.d/a.conf\nnet.ipv4.conf.default.rp_filter=2\nnet.ipv4.conf.lo.rp_filter=1\n",
    ),
    (
        "a value that is there already does not hold the interface, to systemd",
        "== /etc/sysctl.d/a.conf\nnet.ipv4.conf.lo.log_martians=0\nnet.ipv4.conf.default.log_martians=1\n",
    ),
    (
        "some keys of default stay there",
        "== /etc/sysctl.d/a.conf\nnet.ipv4.conf.default.promote_secondaries=1\nnet.ipv4.conf.default.forwarding=1\nnet.ipv4.conf.default.route_localnet=1\nnet.ipv4.conf.default.drop_unicast_in_l2_multicast=1\n",
    ),
    (
        "systemd's own file about rp_filter",
        "== /usr/lib/sysctl.d/50-default.conf\nnet.ipv4.conf.default.rp_filter = 2\nnet.ipv4.conf.*.rp_filter = 2\n-net.ipv4.conf.all.rp_filter\nnet.ipv4.conf.*.accept_source_route = 0\n-net.ipv4.conf.all.accept_source_route\nnet.ipv4.conf.*.promote_secondaries = 1\n-net.ipv4.conf.all.promote_secondaries\n",
    ),
    (
        "ip_forward sets forwarding everywhere and takes redirects away",
        "== /etc/sysctl.d/a.conf\nnet.ipv4.conf.all.accept_redirects=1\nnet.ipv4.ip_forward=1\n",
    ),
    (
        "a line after ip_forward counts",
        "== /etc/sysctl.d/a.conf\nnet.ipv4.ip_forward=1\nnet.ipv4.conf.all.accept_redirects=1\nnet.ipv4.conf.lo.forwarding=0\n",
    ),
    (
        "an interface's forwarding before ip_forward is lost",
        "== /etc/sysctl.d/a.conf\nnet.ipv4.conf.lo.forwarding=0\nnet.ipv4.conf.default.forwarding=0\nnet.ipv4.ip_forward=1\n",
    ),
    (
        "ip_forward and all.forwarding are one",
        "== /etc/sysctl.d/a.conf\nnet.ipv4.ip_forward=1\n== /etc/sysctl.d/b.conf\nnet.ipv4.conf.all.forwarding=0\nnet.core.somaxconn=10\n",
    ),
    (
        "IPv6 forwarding for all",
        "== /etc/sysctl.d/a.conf\nnet.ipv6.conf.lo.forwarding=0\nnet.ipv6.conf.all.forwarding=1\n",
    ),
    (
        "IPv6 off for all, and on again for one",
        "== /etc/sysctl.d/a.conf\nnet.ipv6.conf.all.disable_ipv6=1\nnet.ipv6.conf.lo.disable_ipv6=0\n",
    ),
    ("IPv6 off for default stays there", "== /etc/sysctl.d/a.conf\nnet.ipv6.conf.default.disable_ipv6=1\n"),
    (
        "ip_forward that does not change leaves the others alone",
        "== /etc/sysctl.d/a.conf\nnet.ipv4.ip_forward=1\nnet.ipv4.conf.all.accept_redirects=1\nnet.ipv4.conf.lo.forwarding=0\nnet.ipv4.conf.all.forwarding=1\n",
    ),
    // ufw.
    (
        "ufw agrees",
        "== /etc/default/ufw\nIPT_SYSCTL=/etc/ufw/sysctl.conf\n== /etc/ufw/ufw.conf\nENABLED=yes\n== /etc/ufw/sysctl.conf\nnet/ipv4/tcp_fin_timeout=31\n== /etc/sysctl.d/a.conf\nnet.ipv4.tcp_fin_timeout=31\n",
    ),
    (
        "ufw disagrees and wins",
        "== /etc/default/ufw\nIPT_SYSCTL=/etc/ufw/sysctl.conf\n== /etc/ufw/ufw.conf\nENABLED=yes\n== /etc/ufw/sysctl.conf\nnet/ipv4/tcp_fin_timeout=32\nnet/ipv4/no_such_key=1\n== /etc/sysctl.d/a.conf\nnet.ipv4.tcp_fin_timeout=31\n",
    ),
    (
        "nothing: ufw is off",
        "== /etc/default/ufw\nIPT_SYSCTL=/etc/ufw/sysctl.conf\n== /etc/ufw/ufw.conf\nENABLED=no\n== /etc/ufw/sysctl.conf\nnet/ipv4/tcp_fin_timeout=32\n",
    ),
    (
        "ufw's pattern knows nothing of the loader's exclusions",
        "== /etc/default/ufw\nIPT_SYSCTL='/run/mine'\n== /etc/ufw/ufw.conf\nENABLED=YES\n== /run/mine\nnet/ipv4/tcp_keepalive_*=5\n== /etc/sysctl.d/a.conf\nnet.ipv4.tcp_keepalive_time=6\n-net.ipv4.tcp_keepalive_intvl\n",
    ),
    // /etc/sysctl.conf that is no plain file.
    (
        "sysctl.conf is a link to a file",
        "== /run/real\nnet.ipv4.tcp_fin_timeout=31\n== /etc/sysctl.conf -> /run/real\n",
    ),
    (
        "sysctl.conf is a link into sysctl.d",
        "== /etc/sysctl.d/50.conf\nnet.ipv4.tcp_fin_timeout=31\n== /etc/sysctl.conf -> sysctl.d/50.conf\n== /etc/sysctl.d/60.conf\nnet.ipv4.tcp_fin_timeout=32\n",
    ),
    (
        "nothing: sysctl.conf is a link to the null device",
        "== /etc/sysctl.conf -> /dev/null\n== /etc/sysctl.d/99-sysctl.conf -> ../sysctl.conf\n",
    ),
    ("sysctl.conf is a directory", "== /etc/sysctl.conf/\n== /etc/sysctl.d/a.conf\nnet.ipv4.tcp_fin_timeout=31\n"),
    // The rest.
    (
        "a credential comes last, to systemd",
        "== /run/credentials/systemd-sysctl.service/sysctl.extra\nnet.ipv4.tcp_fin_timeout=33\n== /etc/sysctl.d/zz.conf\nnet.ipv4.tcp_fin_timeout=31\n",
    ),
    (
        "everything at once",
        "== /usr/lib/sysctl.d/50-default.conf\nnet.ipv4.conf.*.rp_filter=2\n-net.ipv4.conf.all.rp_filter\nnet.core.somaxconn=100\n== /usr/lib/sysctl.d/60-vendor.conf\nnet.core.somaxconn=200\n== /run/sysctl.d/60-vendor.conf -> /dev/null\n== /usr/local/lib/sysctl.d/70-local.conf\nnet/ipv4/tcp_fin_timeout = 20\n== /etc/sysctl.d/80-own.conf\n-net.ipv4.tcp_fin_timeout = 25\nnet.ipv4.conf.eth0/100.rp_filter = 1\n== /etc/sysctl.d/99-sysctl.conf -> ../sysctl.conf\n== /etc/sysctl.conf\nnet.ipv4.tcp_rmem = 4096 131072 8388608\n",
    ),
];
