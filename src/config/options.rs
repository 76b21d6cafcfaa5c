//! The options of the configuration, each declared once.
//!
//! In: nothing. Out: [`Options`], their values; [`SECTIONS`], what is known of each. Must not: hold what an option does.
//!
//! The doc comment of an option is its help. Its first paragraph is what a command says of the flag; all of it is in the
//! commented file and in sysctl-advisor.toml(5). docs/add-an-option.md goes through one.

use std::path::PathBuf;
use std::time::Duration;

use toml::Spanned;

use super::declared::options;
use super::kind::{
    AnyFile, CountOrAll, Folders, GaugesFile, KeyGlobs, LabelPairs, Namespaces, ProfileName, RiskName, RolePairs,
    RuleIds, SeverityOrNever, Size, Span, SpanOrNever, SpanOrUnlimited, Switch, Whole,
};
use super::layers::Layers;
use crate::diagnostic::Diagnostic;
use crate::history::{HoldOff, Retention};
use crate::host::netns::Which;
use crate::keys::Risk;
use crate::metrics::roles::StatedRoles;
use crate::model::{Profile, Severity};
use crate::observe::system::Labels;

const MINUTE: Duration = Duration::from_secs(60);
const HOUR: Duration = Duration::from_secs(3600);
const DAY: Duration = Duration::from_secs(24 * 3600);
const YEARS: Duration = Duration::from_secs(3660 * 24 * 3600);

/// A hold-off of more runs would be a switch.
const RUNS: Whole = Whole { least: 1, most: 1000 };
const WATCHED: Span = Span { least: MINUTE, most: Duration::from_secs(30 * 24 * 3600) };

options! {
    /// What an audit reads, and when it exits with code 10.
    [audit] AuditOptions {
        /// Time between the two readings of the counters: 500ms, 2s, 1m, at most 1h; with 0 the counters are read once and
        /// rules that need rates are skipped.
        ///
        /// A longer window sees rarer events.
        window: Duration = "\"2s\"", Span { least: Duration::ZERO, most: HOUR },
            variable "SYSCTL_ADVISOR_WINDOW",
            flag "window" on &["audit", "drift", "snapshot", "plan", "export", "remediate", "apply", "agent"];

        /// Network namespaces to observe: all, current, a name from `ip netns`, or the PID of a process in one.
        ///
        /// "current" is the namespace that the program runs in. "all" needs root. The report lists each namespace that the
        /// program cannot enter.
        netns: Which = "\"current\"", Namespaces,
            variable "SYSCTL_ADVISOR_NETNS",
            flag "netns" on &["audit", "watch", "snapshot", "plan", "export", "remediate"];

        /// Predicted CPU time for all network namespaces together, such as 500ms or 10s; or unlimited.
        ///
        /// A look at the connections of one namespace costs the kernel a walk through those of the whole machine. The program
        /// reads the counters of each namespace and everything of as many as the budget allows: its own first, then those in
        /// which most went wrong during the window, then those with the most sockets. The report lists the others, and rules that
        /// need more than counters are not checked there.
        budget: Option<Duration> = "\"1s\"", SpanOrUnlimited(Span { least: Duration::ZERO, most: HOUR }),
            variable "SYSCTL_ADVISOR_BUDGET",
            flag "budget" on &["audit", "plan", "export", "remediate", "agent"];

        /// TCP connections of a namespace to look at one by one: where there are many more, the others are counted, and their ages
        /// and progress are estimated; or all.
        ///
        /// Counts by state are always exact, and outgoing connections are all looked at. Where a rule fires on an
        /// estimate, the program looks at every connection before it reports. With "all" it always does.
        connections: Option<u32> = "\"20000\"", CountOrAll,
            example "\"all\"",
            flag "connections" on &["audit", "plan", "export", "remediate", "agent"];

        /// Exit with code 10 if a finding has at least this severity: notice, warning, critical; or never.
        ///
        /// With "never" findings do not change the exit code.
        fail_on: Option<Severity> = "\"never\"", SeverityOrNever,
            variable "SYSCTL_ADVISOR_FAIL_ON",
            flag "fail-on" on &["audit"];

        /// File with waivers, which are accepted findings.
        ///
        /// Each waiver has a reason, a name and a last day. docs/waivers.md describes the format. Waived findings are
        /// listed after the others and do not count for fail_on. The default file may be missing. A file that is named
        /// here must exist, but `remediate` creates it.
        waivers: PathBuf = "\"/etc/sysctl-advisor/waivers.toml\"", AnyFile,
            variable "SYSCTL_ADVISOR_WAIVERS",
            flag "waivers" on &["audit", "watch", "plan", "export", "remediate", "agent"];

        /// Label of this host, such as role=web, for reports that are put together: a fleet is grouped by it.
        ///
        /// Snapshots and the reports for programs contain the labels. A name has small letters, digits and `_`.
        labels: Labels = "[]", LabelPairs,
            example "[\"role=web\", \"site=fra1\"]",
            flag "label" on &["audit", "snapshot", "agent"];

        /// Role of this host that cannot be seen, or ROLE=no for one that it does not have.
        ///
        /// The roles are nat, load_balancer, container_host, kubernetes, forwards, multi_homed, policy_routing and tunnel. The report
        /// shows those that the program sees. A rule that depends on a role takes what is stated here instead. It
        /// counts for the first network namespace that the program looks at.
        roles: StatedRoles = "[]", RolePairs,
            example "[\"forwards\", \"multi_homed=no\"]",
            flag "role" on &["audit", "watch", "snapshot", "plan", "export", "remediate", "agent"];
    }

    /// Which rules are evaluated. The shipped rules are always loaded.
    [rules] RulesOptions {
        /// Profile of rules: standard, or hardened for what baselines of security ask for too.
        ///
        /// The hardened rules take the roles of the host into account: a router forwards, and a host with several interfaces
        /// needs a loose reverse path filter. docs/hardening.md compares them with CIS, STIG, ANSSI, Lynis and others, and says
        /// what of them is left out.
        profile: Profile = "\"standard\"", ProfileName,
            example "\"hardened\"",
            variable "SYSCTL_ADVISOR_PROFILE",
            flag "profile" on &["audit", "watch", "plan", "export", "remediate", "agent"];

        /// Folders with additional rules, read in this order with their sub-folders.
        ///
        /// A file with the name of a shipped rule replaces that rule. The default folder may be missing. A folder that is
        /// named here must exist. The option --rules adds folders. The environment variable replaces the list; separate
        /// its folders with colons.
        folders: Vec<PathBuf> = "[\"/etc/sysctl-advisor/rules.d\"]", Folders,
            variable "SYSCTL_ADVISOR_RULES";

        /// Ids of rules that are not evaluated.
        ///
        /// `sysctl-advisor rules list` prints the ids.
        disable: Vec<Spanned<String>> = "[]", RuleIds,
            example "[\"tcp-abort-on-overflow\"]";
    }

    /// Limits for what `apply`, `remediate` and `agent --apply` may change.
    [apply] ApplyOptions {
        /// Keys that may be written, as patterns in which * matches any text.
        ///
        /// With an empty list, every key that a plan can contain may be written.
        only: Vec<String> = "[]", KeyGlobs,
            example "[\"net.ipv4.*\", \"net.core.somaxconn\"]";

        /// Keys that must not be written, even if `only` matches them.
        never: Vec<String> = "[]", KeyGlobs,
            example "[\"net.ipv4.ip_forward\"]";

        /// Highest risk that a change may have: low, medium, high.
        ///
        /// For `agent --apply` the default is low.
        max_risk: Risk = "\"high\"", RiskName,
            example "\"medium\"";

        /// Largest number of keys that one plan may change.
        max_changes: u32 = "256", Whole { least: 0, most: u32::MAX },
            example "20";

        /// Time in which `plan` leaves out a rule whose change made something worse and was rolled back.
        ///
        /// With "0" no rule is left out.
        cool_down: Duration = "\"7d\"", Span { least: Duration::ZERO, most: YEARS };
    }

    /// What `sysctl-advisor agent` does, which a systemd timer runs every hour.
    [agent] AgentOptions {
        /// Number of consecutive runs with a finding before it is reported.
        hold_off: u32 = "2", RUNS;

        /// Number of consecutive runs without a finding before it is reported as resolved.
        resolve_after: u32 = "2", RUNS;

        /// Number of times per day that a finding may appear and be resolved; above it, it is reported once as flapping.
        flap_limit: u32 = "3", RUNS;

        /// How long results stay in the history.
        keep: Duration = "\"90d\"", Span { least: DAY, most: YEARS };

        /// Maximum size of the history file.
        max_size: u64 = "\"64MiB\"", Size;

        /// File for the gauges that the textfile collector of node_exporter reads; with "" none is written.
        ///
        /// The path must be absolute and end in .prom.
        textfile: Option<PathBuf> = "\"/run/sysctl-advisor/sysctl-advisor.prom\"", GaugesFile;

        /// Whether messages go to the systemd journal; with false they go to standard error.
        journal: bool = "true", Switch;

        /// Network namespaces to observe, as `netns` in `[audit]`.
        ///
        /// The report lists each namespace that the service cannot enter.
        netns: Which = "\"all\"", Namespaces;

        /// Whether `agent --apply` may change sysctls within the limits of `[apply]`; sysctl-advisor-apply.timer runs it.
        apply: bool = "false", Switch;

        /// Time after a change in which it is rolled back if it makes something worse.
        watch: Duration = "\"1d\"", WATCHED;

        /// Age at which a change that made nothing worse is made permanent, such as 1d; or never.
        confirm_after: Option<Duration> = "\"never\"", SpanOrNever(WATCHED);
    }
}

impl Options {
    /// The values without any file, variable or flag.
    pub fn defaults() -> Result<Self, Diagnostic> {
        Self::read(&Layers::default())
    }
}

impl AgentOptions {
    /// How many runs a finding must stay, and stay away.
    pub const fn hold(&self) -> HoldOff {
        HoldOff { hold_off: self.hold_off, resolve_after: self.resolve_after, flap_limit: self.flap_limit }
    }

    /// How much is remembered.
    pub const fn retention(&self) -> Retention {
        Retention { age: self.keep, bytes: self.max_size }
    }

    /// How long after a change it is watched. What is to be made permanent is watched until then, however short `watch` is.
    pub fn watched_for(&self) -> Duration {
        self.watch.max(self.confirm_after.unwrap_or_default())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn parsed(text: &str) -> Result<AgentOptions, Diagnostic> {
        let mut layers = Layers::default();
        let text = format!("[agent]\n{text}");
        layers.add_file("/c", &text).unwrap();
        Options::read(&layers).map(|options| options.agent)
    }

    #[test]
    fn an_empty_section_is_the_default_and_changes_nothing_on_the_host() {
        let agent = parsed("").unwrap();
        assert_eq!(agent, Options::defaults().unwrap().agent);
        assert!(!agent.apply && agent.confirm_after.is_none());
        assert_eq!((agent.hold(), agent.retention()), (HoldOff::default(), Retention::default()));
    }

    #[test]
    fn every_option_of_the_agent_is_read() {
        let text = "hold_off = 3\nresolve_after = 4\nflap_limit = 5\nkeep = \"30d\"\nmax_size = \"16 MiB\"\ntextfile = \"\"\n\
                    journal = false\nnetns = \"current\"\napply = true\nwatch = \"2d\"\nconfirm_after = \"24h\"\n";
        let expected = AgentOptions {
            hold_off: 3,
            resolve_after: 4,
            flap_limit: 5,
            keep: 30 * DAY,
            max_size: 16 << 20,
            textfile: None,
            journal: false,
            netns: Which::Current,
            apply: true,
            watch: 2 * DAY,
            confirm_after: Some(DAY),
        };
        assert_eq!(parsed(text), Ok(expected));
        assert_eq!(parsed("confirm_after = \"never\"").unwrap().confirm_after, None);
        assert_eq!(parsed("confirm_after = \"3d\"").unwrap().watched_for(), 3 * DAY, "watched until then");
    }

    #[test]
    fn what_makes_no_sense_is_an_error_with_its_place() {
        for (text, why) in [
            ("hold_off = 0", "1 to 1000"),
            ("hold_off = -1", "1 to 1000"),
            ("keep = \"5m\"", "1 d to"),
            ("keep = \"soon\"", "not a duration"),
            ("max_size = \"64\"", "not a size"),
            ("max_size = \"5 KiB\"", "1 MiB to"),
            ("max_size = \"99999999999999999999GiB\"", "1 MiB to"),
            ("textfile = \"metrics.prom\"", "an absolute path"),
            ("textfile = \"/run/x/metrics.txt\"", ".prom"),
            ("confirm_after = \"soon\"", "not a duration"),
            ("journal = \"yes\"", "expected a boolean"),
        ] {
            let wrong = parsed(text).unwrap_err();
            assert!(wrong.message.contains(why), "{text}: {}", wrong.message);
            let begin = "[agent]\n".len();
            assert_eq!(wrong.span, begin + text.find('=').unwrap() + 2..begin + text.len(), "{text}");
        }
    }

    #[test]
    fn every_default_is_a_value_and_every_help_has_a_summary_of_one_sentence() {
        Options::defaults().unwrap();
        for option in SECTIONS.iter().flat_map(|section| section.options) {
            let summary = option.summary();
            assert!(!summary.is_empty() && !summary.contains(". "), "{}: {summary}", option.name);
        }
    }
}
