//! What a boot would read to set sysctls.
//!
//! In: nothing; these are records, as a snapshot keeps them. Must not: hold behaviour.

use serde::{Deserialize, Serialize};

/// What a boot would read.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct Persisted {
    pub loader: LoaderFound,
    /// Each directory that a loader looks into, whether it exists or not.
    pub directories: Vec<Directory>,
    /// Every candidate, in no order that matters; a path stands here once.
    pub files: Vec<File>,
    /// Of `/proc/cmdline` the words that set sysctls, with their quotation marks, and nothing else: the rest may hold
    /// secrets. `None` where it could not be read.
    pub command_line: Option<String>,
    pub ufw: Option<Ufw>,
    /// Version of procps, where the system's package database tells.
    pub procps_version: Option<String>,
    /// The network namespace that the loader writes to, that of process 1, as in
    /// [`Namespace::id`](crate::snapshot::Namespace); `None` where it may not be read, or the root is a captured one.
    pub namespace: Option<String>,
}

/// The program that sets sysctls at boot.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Loader {
    /// `systemd-sysctl`.
    Systemd,
    /// `sysctl --system` of procps.
    Procps,
}

impl Loader {
    /// As the command line and the reports write it.
    pub const fn name(self) -> &'static str {
        match self {
            Self::Systemd => "systemd",
            Self::Procps => "procps",
        }
    }
}

/// Which loader this system boots with, and how we know.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct LoaderFound {
    /// `None`: none was found, and nothing may be loaded at all.
    pub loader: Option<Loader>,
    /// For example `/lib/systemd/systemd-sysctl exists`.
    pub evidence: Vec<String>,
}

/// A directory of configuration files.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Directory {
    pub path: String,
    /// The directory that it is in truth, when a link leads there (`/lib/sysctl.d` is often `/usr/lib/sysctl.d`).
    pub real: Option<String>,
    pub state: DirectoryState,
    /// Names in it that no loader reads: hidden, or not ending in `.conf`.
    pub passed_over: Vec<String>,
}

#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum DirectoryState {
    Read,
    Absent,
    /// Why it could not be read.
    Unreadable(String),
}

/// One candidate.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct File {
    /// As a loader would open it: `/etc/sysctl.d/50-net.conf`.
    pub path: String,
    pub source: Source,
    /// Where the link points, as the link has it, when it is one.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub link: Option<String>,
    /// What stands at the end of the links.
    pub kind: FileKind,
    /// Permission bits and owner of what stands at the end of the links.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub mode: Option<u32>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub uid: Option<u32>,
    /// The text; bytes that are not UTF-8 are replaced, and it may be cut.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub text: Option<String>,
    /// Length in bytes of the whole file.
    #[serde(default)]
    pub bytes: u64,
    /// The text is only the beginning, up to the end of a line.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub cut: bool,
    /// Some bytes are not UTF-8.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub not_utf8: bool,
}

impl File {
    /// The last part of the path, by which files mask each other.
    pub fn base_name(&self) -> &str {
        self.path.rsplit('/').next().unwrap_or(&self.path)
    }
}

/// What makes a file a candidate.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Source {
    /// In one of the `sysctl.d` directories.
    Directory,
    /// `/etc/sysctl.conf`.
    SysctlConf,
    /// The file that ufw loads when it starts.
    Ufw,
    /// A credential of `systemd-sysctl.service`.
    Credential,
}

#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum FileKind {
    Regular,
    /// `/dev/null`, which masks: a link to it, in nearly all cases.
    Null,
    Directory,
    Fifo,
    Socket,
    /// Any other device.
    Device,
    /// A link to nothing.
    Dangling,
    /// Links that lead to each other.
    LinkLoop,
    /// Why it could not be read.
    Unreadable(String),
}

/// ufw, when it is installed.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Ufw {
    /// `ENABLED=yes` in `/etc/ufw/ufw.conf`: only then does it load its file.
    pub enabled: bool,
    /// `IPT_SYSCTL` of `/etc/default/ufw`.
    pub file: Option<String>,
}
