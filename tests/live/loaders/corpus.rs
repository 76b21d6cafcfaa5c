//! Trees of files, each with the situation that it stands for: which files a loader reads, and in which order. They
//! follow the situations of ComplianceAsCode's tests (`shared/templates/sysctl/tests`).
//! A name that begins with `nothing`: neither loader changes a key.

pub(crate) const FILES: &[(&str, &str)] = &[
    // One file.
    (
        "nothing: a comment",
        "== /etc/sysctl.conf\n# net.ipv4.tcp_fin_timeout = 30\n== /etc/sysctl.d/a.conf\n;net.ipv4.tcp_fin_timeout = 30\n",
    ),
    ("sysctl.conf alone: procps reads it, systemd does not", "== /etc/sysctl.conf\nnet.ipv4.tcp_fin_timeout = 30\n"),
    ("a file in /etc/sysctl.d", "== /etc/sysctl.d/a.conf\nnet.ipv4.tcp_fin_timeout = 30\n"),
    ("a file in /run/sysctl.d", "== /run/sysctl.d/a.conf\nnet.ipv4.tcp_fin_timeout = 30\n"),
    ("a file in /usr/local/lib/sysctl.d", "== /usr/local/lib/sysctl.d/a.conf\nnet.ipv4.tcp_fin_timeout = 30\n"),
    ("a file in /usr/lib/sysctl.d", "== /usr/lib/sysctl.d/a.conf\nnet.ipv4.tcp_fin_timeout = 30\n"),
    ("nothing: no line", "== /etc/sysctl.conf\n== /etc/sysctl.d/a.conf\n\n"),
    // Several files.
    (
        "the same value in sysctl.conf and in sysctl.d",
        "== /etc/sysctl.conf\nnet.ipv4.tcp_fin_timeout = 30\n== /etc/sysctl.d/a.conf\nnet.ipv4.tcp_fin_timeout = 30\n",
    ),
    (
        "sysctl.conf against sysctl.d",
        "== /etc/sysctl.conf\nnet.ipv4.tcp_fin_timeout = 31\n== /etc/sysctl.d/zz.conf\nnet.ipv4.tcp_fin_timeout = 30\n",
    ),
    (
        "two files agree",
        "== /etc/sysctl.d/a.conf\nnet.ipv4.tcp_fin_timeout = 30\n== /etc/sysctl.d/b.conf\nnet.ipv4.tcp_fin_timeout = 30\n",
    ),
    (
        "two files disagree: the later name wins",
        "== /etc/sysctl.d/a.conf\nnet.ipv4.tcp_fin_timeout = 30\n== /etc/sysctl.d/b.conf\nnet.ipv4.tcp_fin_timeout = 31\n",
    ),
    ("twice in one file", "== /etc/sysctl.d/a.conf\nnet.ipv4.tcp_fin_timeout = 30\nnet.ipv4.tcp_fin_timeout = 31\n"),
    (
        "the same file name in two directories",
        "== /etc/sysctl.d/a.conf\nnet.ipv4.tcp_fin_timeout = 30\n== /run/sysctl.d/a.conf\nnet.ipv4.tcp_fin_timeout = 30\n",
    ),
    (
        "the same file name in two directories, and they disagree",
        "== /etc/sysctl.d/a.conf\nnet.ipv4.tcp_fin_timeout = 30\n== /run/sysctl.d/a.conf\nnet.ipv4.tcp_fin_timeout = 31\nnet.core.somaxconn = 99\n",
    ),
    (
        "the vendor is wrong and /etc is right",
        "== /usr/lib/sysctl.d/50-vendor.conf\nnet.ipv4.tcp_fin_timeout = 31\n== /etc/sysctl.d/90-own.conf\nnet.ipv4.tcp_fin_timeout = 30\n",
    ),
    (
        "the vendor's later name wins over /etc",
        "== /usr/lib/sysctl.d/90-vendor.conf\nnet.ipv4.tcp_fin_timeout = 31\n== /etc/sysctl.d/50-own.conf\nnet.ipv4.tcp_fin_timeout = 30\n",
    ),
    (
        "local vendor files come after the administrator's by name only",
        "== /usr/local/lib/sysctl.d/60.conf\nnet.ipv4.tcp_fin_timeout = 31\n== /etc/sysctl.d/50.conf\nnet.ipv4.tcp_fin_timeout = 30\n== /usr/lib/sysctl.d/55.conf\nnet.ipv4.tcp_fin_timeout = 33\n",
    ),
    (
        "names are compared as bytes",
        "== /etc/sysctl.d/9.conf\nnet.ipv4.tcp_fin_timeout = 30\n== /etc/sysctl.d/10.conf\nnet.ipv4.tcp_fin_timeout = 31\n== /etc/sysctl.d/Z.conf\nnet.ipv4.tcp_fin_timeout = 32\n== /etc/sysctl.d/_.conf\nnet.core.somaxconn = 10\n== /etc/sysctl.d/a.conf\nnet.core.somaxconn = 11\n",
    ),
    (
        "the suffix belongs to the name that is compared",
        "== /etc/sysctl.d/a.conf\nnet.ipv4.tcp_fin_timeout = 30\n== /etc/sysctl.d/a-b.conf\nnet.ipv4.tcp_fin_timeout = 31\n",
    ),
    // Links.
    (
        "99-sysctl.conf links to sysctl.conf",
        "== /etc/sysctl.d/99-sysctl.conf -> ../sysctl.conf\n== /etc/sysctl.conf\nnet.ipv4.tcp_fin_timeout = 30\n",
    ),
    (
        "the link to sysctl.conf is not the last name",
        "== /etc/sysctl.d/99-sysctl.conf -> ../sysctl.conf\n== /etc/sysctl.conf\nnet.ipv4.tcp_fin_timeout = 30\n== /etc/sysctl.d/zz.conf\nnet.ipv4.tcp_fin_timeout = 31\n",
    ),
    (
        "the link to sysctl.conf and a file that disagrees before it",
        "== /etc/sysctl.d/99-sysctl.conf -> ../sysctl.conf\n== /etc/sysctl.conf\nnet.ipv4.tcp_fin_timeout = 30\n== /etc/sysctl.d/90.conf\nnet.ipv4.tcp_fin_timeout = 31\n",
    ),
    (
        "two links to one file",
        "== /run/real\nnet.ipv4.tcp_fin_timeout = 30\n== /etc/sysctl.d/a.conf -> /run/real\n== /etc/sysctl.d/z.conf -> /run/real\n== /etc/sysctl.d/m.conf\nnet.ipv4.tcp_fin_timeout = 31\n",
    ),
    (
        "a link to a file with another option",
        "== /run/real\nnet.core.somaxconn = 77\n== /etc/sysctl.d/a.conf -> /run/real\n== /etc/sysctl.conf\nnet.ipv4.tcp_fin_timeout = 30\n",
    ),
    (
        "a link to a file in another of the directories",
        "== /etc/sysctl.d/99.conf -> /usr/lib/sysctl.d/10.conf\n== /usr/lib/sysctl.d/10.conf\nnet.ipv4.tcp_fin_timeout = 31\n== /run/sysctl.d/50.conf\nnet.ipv4.tcp_fin_timeout = 32\n",
    ),
    (
        "a link to a link",
        "== /run/real\nnet.ipv4.tcp_fin_timeout = 30\n== /run/one -> real\n== /etc/sysctl.d/a.conf -> /run/one\n",
    ),
    (
        "a directory that is a link",
        "== /run/elsewhere/a.conf\nnet.ipv4.tcp_fin_timeout = 30\n== /run/sysctl.d -> elsewhere\n",
    ),
    (
        "a directory that is a link to another one of them",
        "== /run/sysctl.d -> /etc/sysctl.d\n== /etc/sysctl.d/a.conf\nnet.ipv4.tcp_fin_timeout = 30\n",
    ),
    // Masks.
    (
        "a link to the null device masks",
        "== /etc/sysctl.d/a.conf -> /dev/null\n== /usr/lib/sysctl.d/a.conf\nnet.ipv4.tcp_fin_timeout = 31\n== /usr/lib/sysctl.d/b.conf\nnet.core.somaxconn = 10\n",
    ),
    (
        "nothing: a mask alone",
        "== /etc/sysctl.d/a.conf -> /dev/null\n== /usr/lib/sysctl.d/a.conf\nnet.ipv4.tcp_fin_timeout = 31\n",
    ),
    (
        "nothing: an empty file masks",
        "== /etc/sysctl.d/a.conf\n== /run/sysctl.d/a.conf\nnet.ipv4.tcp_fin_timeout = 31\n",
    ),
    (
        "a link to nothing masks all the same",
        "== /etc/sysctl.d/a.conf -> /nowhere\n== /run/sysctl.d/a.conf\nnet.ipv4.tcp_fin_timeout = 31\n== /run/sysctl.d/b.conf\nnet.core.somaxconn = 10\n",
    ),
    (
        "a loop of links masks all the same",
        "== /etc/sysctl.d/a.conf -> a.conf\n== /run/sysctl.d/a.conf\nnet.ipv4.tcp_fin_timeout = 31\n== /run/sysctl.d/b.conf\nnet.core.somaxconn = 10\n",
    ),
    (
        "a directory with the name of a file masks all the same",
        "== /etc/sysctl.d/a.conf/\n== /run/sysctl.d/a.conf\nnet.ipv4.tcp_fin_timeout = 31\n== /run/sysctl.d/b.conf\nnet.core.somaxconn = 10\n",
    ),
    (
        "a vendor's mask does not reach the administrator's file",
        "== /usr/lib/sysctl.d/a.conf -> /dev/null\n== /etc/sysctl.d/a.conf\nnet.ipv4.tcp_fin_timeout = 31\n",
    ),
    (
        "a mask of 99-sysctl.conf does not stop procps",
        "== /etc/sysctl.d/99-sysctl.conf -> /dev/null\n== /etc/sysctl.conf\nnet.ipv4.tcp_fin_timeout = 31\n",
    ),
    // Names of files.
    (
        "nothing: another suffix",
        "== /etc/sysctl.d/a.conf.bak\nnet.ipv4.tcp_fin_timeout = 31\n== /etc/sysctl.d/a\nnet.ipv4.tcp_fin_timeout = 32\n== /etc/sysctl.d/a.CONF\nnet.core.somaxconn = 1\n",
    ),
    ("a hidden file is read by procps only", "== /etc/sysctl.d/.a.conf\nnet.ipv4.tcp_fin_timeout = 31\n"),
    ("a file that is called only .conf is read by procps", "== /etc/sysctl.d/.conf\nnet.ipv4.tcp_fin_timeout = 31\n"),
    (
        "a hidden file masks for procps only",
        "== /etc/sysctl.d/.a.conf -> /dev/null\n== /run/sysctl.d/.a.conf\nnet.ipv4.tcp_fin_timeout = 31\n== /run/sysctl.d/b.conf\nnet.core.somaxconn = 10\n",
    ),
    ("nothing: a file in a directory below", "== /etc/sysctl.d/sub/a.conf\nnet.ipv4.tcp_fin_timeout = 31\n"),
];
