//! How a change stands now: in force, permanent, gone.
//!
//! In: its journal, the boot of now, whether its network namespace is still there. Out: a [`Standing`]. Must not: look at
//! the host.

use super::journal::{ChangeStatus, RecordedChange};

/// How a change that nobody is at work on stands.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Standing {
    /// Values were being written when it ended.
    Interrupted,
    /// Applied and not confirmed.
    InForce,
    ConfirmInterrupted,
    /// Until the next boot.
    Confirmed,
    Permanent,
    RollbackInterrupted,
    RolledBack,
    RollbackFailed,
    /// Its values were those of another boot.
    GoneWithBoot,
    /// Its network namespace was deleted.
    GoneWithNamespace,
}

impl Standing {
    pub const ALL: [Self; 10] = [
        Self::Interrupted,
        Self::InForce,
        Self::ConfirmInterrupted,
        Self::Confirmed,
        Self::Permanent,
        Self::RollbackInterrupted,
        Self::RolledBack,
        Self::RollbackFailed,
        Self::GoneWithBoot,
        Self::GoneWithNamespace,
    ];

    /// `boot_id` is the one of now; `is_lost`: the network namespace of the change is not there any more.
    pub fn of(entry: &RecordedChange, boot_id: &str, is_lost: bool) -> Self {
        let gone = !entry.is_of_boot(boot_id);
        let lost = is_lost && !entry.reached_drop_in();
        match entry.status() {
            ChangeStatus::Confirmed if entry.reached_drop_in() => Self::Permanent,
            ChangeStatus::Interrupted
            | ChangeStatus::Applied
            | ChangeStatus::Confirmed
            | ChangeStatus::RollbackInterrupted
                if lost =>
            {
                Self::GoneWithNamespace
            }
            ChangeStatus::Interrupted
            | ChangeStatus::Applied
            | ChangeStatus::Confirmed
            | ChangeStatus::RollbackInterrupted
                if gone =>
            {
                Self::GoneWithBoot
            }
            ChangeStatus::Interrupted => Self::Interrupted,
            ChangeStatus::Applied => Self::InForce,
            ChangeStatus::ConfirmInterrupted => Self::ConfirmInterrupted,
            ChangeStatus::Confirmed => Self::Confirmed,
            ChangeStatus::RollbackInterrupted => Self::RollbackInterrupted,
            ChangeStatus::RolledBack => Self::RolledBack,
            ChangeStatus::RollbackFailed => Self::RollbackFailed,
        }
    }

    /// For a person.
    pub const fn words(self) -> &'static str {
        match self {
            Self::Interrupted => "interrupted; roll it back",
            Self::InForce => "effective, not confirmed",
            Self::ConfirmInterrupted => "interrupted while it was made permanent; confirm it again or roll it back",
            Self::Confirmed => "confirmed, until the next boot",
            Self::Permanent => "permanent",
            Self::RollbackInterrupted => "interrupted while it was rolled back; roll it back again",
            Self::RolledBack => "rolled back",
            Self::RollbackFailed => "rolled back only in part; roll it back again",
            Self::GoneWithBoot => "ended by a reboot",
            Self::GoneWithNamespace => "ended, because its network namespace was deleted",
        }
    }

    /// The name that gauges use.
    pub const fn name(self) -> &'static str {
        match self {
            Self::Interrupted => "interrupted",
            Self::InForce => "not_confirmed",
            Self::ConfirmInterrupted => "confirm_interrupted",
            Self::Confirmed => "confirmed",
            Self::Permanent => "permanent",
            Self::RollbackInterrupted => "rollback_interrupted",
            Self::RolledBack => "rolled_back",
            Self::RollbackFailed => "rollback_failed",
            Self::GoneWithBoot => "ended_by_reboot",
            Self::GoneWithNamespace => "namespace_deleted",
        }
    }

    /// Whether something of the change may be left on this host: values that are in force, or lines in the drop-in.
    pub const fn is_left(self) -> bool {
        !matches!(self, Self::RolledBack | Self::GoneWithBoot | Self::GoneWithNamespace)
    }

    /// Whether all its values are in force, so that its guards can be asked.
    pub const fn is_whole(self) -> bool {
        matches!(self, Self::InForce | Self::ConfirmInterrupted | Self::Confirmed | Self::Permanent)
    }
}
