//! The nouns: what the files would set, how each key stands and why, what is wrong with the files.
//!
//! In: nothing. Out: [`Drift`] and its parts. Must not: decide anything.

use std::collections::BTreeMap;
use std::ops::Range;

use crate::keys::{Written, folded};
use crate::observe::persisted::Loader;

/// What the files would set, what is in force, and what is wrong with the files.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Drift {
    pub resolution: Resolution,
    /// By name.
    pub keys: Vec<KeyDrift>,
    /// By file and line.
    pub problems: Vec<Problem>,
}

impl Drift {
    /// How many keys have a status.
    pub fn count(&self, status: Status) -> usize {
        self.keys.iter().filter(|key| key.status == status).count()
    }
}

/// What one loader makes of the files.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Resolution {
    pub loader: Loader,
    /// By key, in our form: dots between the levels, `/` for a dot inside a name (`net.ipv4.conf.eth0/100.rp_filter`).
    /// Names of keys that do not exist are here too, except that a glob stands only for those that exist.
    pub keys: BTreeMap<String, Resolved>,
    pub problems: Vec<Problem>,
    /// Every candidate file, those that are read first, in the order of reading.
    pub files: Vec<FileUse>,
    /// Keys of `lo` whose value depends on whether `lo` is up when the loader runs.
    pub loopback: Vec<String>,
}

/// One key's lines.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Resolved {
    /// The line whose value the key has after boot.
    pub winner: Assignment,
    /// The lines that lost, in the order in which the loader meets them.
    pub shadowed: Vec<Assignment>,
    /// What the key has when the kernel refuses the winner's value: the lines that were written before it, the latest
    /// first. Empty: what the kernel started with. So it mostly is with systemd, which writes only the last of several
    /// lines; procps writes them all.
    pub if_refused: Vec<Assignment>,
}

/// One line that sets a key.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Assignment {
    /// What the key holds after it. Where that is not known, and for a text that the kernel refuses, the text.
    pub value: String,
    /// What the line has after its `=`.
    pub text: String,
    /// What the kernel made of the text, or of the value that it passed on from `spread_from`.
    pub written: Written,
    /// The file as the loader names it; `/proc/cmdline` for the kernel's command line.
    pub file: String,
    /// From 1.
    pub line: u32,
    /// Bytes of the file's text: from the key to the end of the value.
    pub span: Range<usize>,
    /// `-` before the key: a failure to set it does not count.
    pub ignore_failure: bool,
    /// The pattern that stood for the key.
    pub from_glob: Option<String>,
    /// The key that the line names, when the kernel itself passes the write on to this one:
    /// `net.ipv4.conf.default.rp_filter` to each interface, `net.ipv4.ip_forward` to `net.ipv4.conf.*.forwarding`.
    pub spread_from: Option<String>,
}

/// What became of one candidate file.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct FileUse {
    pub file: String,
    pub fate: Fate,
}

#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Fate {
    /// Read, with so many lines that set something.
    Read { assignments: usize },
    /// A file of the same name in a directory that comes first stands for it.
    MaskedBy(String),
    /// It is the null device: an empty file that masks others of its name.
    Null,
    /// This loader does not look there.
    NotLooked,
    /// The loader tries and fails.
    Failed(String),
}

/// Something wrong with a file or a line.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub struct Problem {
    pub file: String,
    /// From 1; 0 for the file as a whole.
    pub line: u32,
    /// Bytes of the file's text; empty for the file as a whole.
    pub span: (usize, usize),
    /// Stable, for machines: one of [`codes`].
    pub code: &'static str,
    /// One sentence.
    pub text: String,
}

/// Codes of problems; stable, for machines.
pub mod codes {
    /// A line that is neither an assignment nor a comment.
    pub const NOT_AN_ASSIGNMENT: &str = "not_an_assignment";
    /// A name that cannot be one of a key.
    pub const BAD_KEY: &str = "bad_key";
    /// The loader gives up, or splits, at a line that is too long.
    pub const LINE_TOO_LONG: &str = "line_too_long";
    /// A pattern that matches no key that exists now.
    pub const GLOB_WITHOUT_MATCH: &str = "glob_without_match";
    /// Not a regular file, or one that cannot be read.
    pub const UNREADABLE_FILE: &str = "unreadable_file";
    /// A directory that cannot be read.
    pub const UNREADABLE_DIRECTORY: &str = "unreadable_directory";
    /// The loader waits for ever at this file, and sets nothing.
    pub const BLOCKS_LOADER: &str = "blocks_loader";
    /// An assignment that a later `-key` cancels.
    pub const CANCELLED: &str = "cancelled";
    /// So many patterns that we look at the first only.
    pub const TOO_MANY_GLOBS: &str = "too_many_globs";
    /// So many lines that we look at the first only.
    pub const TOO_MANY_LINES: &str = "too_many_lines";
    /// procps uses the file's name as a pattern.
    pub const NAME_IS_PATTERN: &str = "name_is_pattern";
    /// We read only the beginning.
    pub const FILE_CUT: &str = "file_cut";
    /// Bytes that are not UTF-8.
    pub const NOT_UTF8: &str = "not_utf8";

    // Of what the lines say, whatever their form.
    pub const DEAD_KEY: &str = "dead_key";
    pub const UNKNOWN_KEY: &str = "unknown_key";
    pub const INVALID_VALUE: &str = "invalid_value";
    /// A comment after the value, which the kernel gets too.
    pub const COMMENT_IN_VALUE: &str = "comment_in_value";
    /// The kernel uses only the beginning of the text.
    pub const IGNORED_TEXT: &str = "ignored_text";
    /// A word in a name or a value that a template or a person should have replaced.
    pub const PLACEHOLDER: &str = "placeholder";
    /// Fewer numbers than the key has.
    pub const MISSING_NUMBERS: &str = "missing_numbers";
    pub const BYTES_FOR_PAGES: &str = "bytes_for_pages";
    pub const NOT_ASCENDING: &str = "not_ascending";
    /// The kernel accepts the value, and it has no meaning.
    pub const MEANINGLESS_VALUE: &str = "meaningless_value";
    /// A value outside of what is usual, with a cost.
    pub const UNUSUAL_VALUE: &str = "unusual_value";
    /// A usual value that a reviewer should know the cost of.
    pub const COSTLY_VALUE: &str = "costly_value";
    /// A key that does something once and keeps nothing.
    pub const ACTION: &str = "action";
    /// A key that only a module brings, where nobody can look whether it is loaded.
    pub const NEEDS_MODULE: &str = "needs_module";
    /// What an interface does with it depends on another line than the one that was written.
    pub const ALL_AND_INTERFACE: &str = "all_and_interface";
    /// It does not fit to another key's value.
    pub const RELATED_KEY: &str = "related_key";
    pub const WITHOUT_EFFECT: &str = "without_effect";
    pub const DUPLICATES_DISAGREE: &str = "duplicates_disagree";
    pub const NEVER_WINS: &str = "never_wins";
    pub const NOT_READ_BY_LOADER: &str = "not_read_by_loader";
    pub const WORLD_WRITABLE: &str = "world_writable";

    // Of documents that configuration management reads.
    /// A word without quotation marks that YAML reads as a boolean.
    pub const YAML_BOOLEAN: &str = "yaml_boolean";
    /// A text without quotation marks that YAML reads as another number.
    pub const YAML_NUMBER: &str = "yaml_number";
    /// A list or several lines where the kernel takes one text.
    pub const NOT_ONE_TEXT: &str = "not_one_text";
    /// A number where Kubernetes takes a text only.
    pub const NOT_A_STRING: &str = "not_a_string";
    /// A key of the machine, which a container cannot set.
    pub const NOT_OF_CONTAINER: &str = "not_of_container";
    /// A key that a kubelet lets through only where it was told to.
    pub const UNSAFE_IN_POD: &str = "unsafe_in_pod";
}

/// What the file is called that the kernel's command line is.
pub const COMMAND_LINE: &str = "/proc/cmdline";

/// How a key stands. The order is that of badness, the worst first.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Status {
    /// The files set a value that is not in force.
    NotInForce,
    /// The files set a key that this kernel does not have.
    Dead,
    /// The kernel does not take the value that the files set.
    Invalid,
    /// The files set a key that is not this network namespace's to set.
    WrongScope,
    /// The value in force was set by hand or by a program, and a boot would not bring it back.
    RuntimeOnly,
    /// The effective value could not be read, or was not compared.
    Unread,
    InSync,
}

impl Status {
    /// All of them, the worst first.
    pub const ALL: [Self; 7] =
        [Self::NotInForce, Self::Dead, Self::Invalid, Self::WrongScope, Self::RuntimeOnly, Self::Unread, Self::InSync];

    /// As the JSON has it.
    pub const fn name(self) -> &'static str {
        match self {
            Self::NotInForce => "not_in_force",
            Self::Dead => "dead",
            Self::Invalid => "invalid",
            Self::WrongScope => "wrong_scope",
            Self::RuntimeOnly => "runtime_only",
            Self::Unread => "unread",
            Self::InSync => "in_sync",
        }
    }

    /// Whether something is to be done about it.
    pub const fn is_drift(self) -> bool {
        !matches!(self, Self::Unread | Self::InSync)
    }
}

/// One key.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct KeyDrift {
    pub key: String,
    /// The line that a boot would follow; `None` when no file sets the key.
    pub boot: Option<Assignment>,
    /// As the kernel prints it, white space made single; `None` when there is none to read.
    pub runtime: Option<String>,
    pub status: Status,
    pub cause: Option<Cause>,
    /// The lines that lost, in the order in which the loader meets them.
    pub shadowed: Vec<Assignment>,
}

impl KeyDrift {
    /// The line whose value the key has after a boot; `None` also where the kernel refuses the line's text.
    pub fn set_by_boot(&self) -> Option<&Assignment> {
        self.boot.as_ref().filter(|line| match self.status {
            Status::Dead | Status::WrongScope => false,
            Status::Invalid => line.written.partly,
            // Where nothing was compared the status does not say that the text is refused.
            _ => line.written.is_stored() || self.status == Status::InSync,
        })
    }

    /// A key that no file sets and that nothing is known to have changed.
    pub fn untouched(key: &str, runtime: &str) -> Self {
        let text = "No file sets it.";
        Self {
            key: key.to_owned(),
            boot: None,
            runtime: Some(folded(runtime)),
            status: Status::InSync,
            cause: Some(Cause::new("not_in_files", text)),
            shadowed: Vec::new(),
        }
    }
}

/// A code for machines, and a text for people.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Cause {
    pub code: &'static str,
    pub text: String,
}

impl Cause {
    pub(super) fn new(code: &'static str, text: impl Into<String>) -> Self {
        Self { code, text: text.into() }
    }
}

/// The code of a key whose value would come with another key's, which is not in force.
pub const FOLLOWS: &str = "source_not_in_force";

/// How one key stands, and why.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Diagnosis {
    pub(super) status: Status,
    pub(super) cause: Option<Cause>,
}

impl Diagnosis {
    pub(super) fn new(status: Status, code: &'static str, text: impl Into<String>) -> Self {
        Self { status, cause: Some(Cause::new(code, text)) }
    }

    /// The value of the files is in force.
    pub(super) const fn in_sync() -> Self {
        Self { status: Status::InSync, cause: None }
    }
}
