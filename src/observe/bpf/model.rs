//! What the pass gives, or why it gives nothing.
//!
//! In: nothing; these are records. Must not: hold behaviour.

use crate::observe::sockets::StateCounts;

/// Why the pass was set aside.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum Why {
    #[error("this program was built without the feature `bpf`")]
    NotBuilt,
    #[error("it needs {0}")]
    NotPermitted(&'static str),
    #[error("{0}")]
    NoTypes(String),
    /// In the words of the kernel or of the loader.
    #[error("the kernel did not accept the program: {0}")]
    Refused(String),
    #[error("the tables are larger than the pass can hold")]
    TooLarge,
    #[error("it counted {counted} sockets where the summary files have {summarized}")]
    Differs { counted: u64, summarized: u64 },
}

/// The sockets of one namespace as the pass counted them.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub(super) struct Counted {
    pub(super) states: StateCounts,
    /// The part of `states` that is small: TIME_WAIT, and FIN_WAIT2 without a process.
    pub(super) small: u64,
    /// The part of `states` that is no socket yet, and in no summary.
    pub(super) half_open: u64,
}
