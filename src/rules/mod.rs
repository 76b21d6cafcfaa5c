//! Rules: conditions over metrics, with their documentation, recommendations and tests, loaded from TOML.
//!
//! In: the rule files compiled in and those of the administrator. Out: a [`set::RuleSet`] of checked rules.
//! Must not: evaluate a rule against a host (`audit` does), or read the system.

mod characters;
pub mod expr;
mod file;
mod given;
mod head;
mod lazy;
pub mod load;
mod names;
pub mod next_look;
pub mod set;
mod shipped;
mod starter;
pub mod template;
pub mod toml_file;

use std::collections::BTreeMap;
use std::ops::Range;
use std::sync::Arc;

pub use file::Expect;
pub use head::Head;
pub use lazy::LazyRule;
pub use names::{guard, measure};
pub use starter::{StarterError, starter};

use crate::keys::Risk;
use crate::metrics::subjects::Subject;
use crate::metrics::value::Value;
use crate::model::Bound;
use crate::model::{Kind, Profile, Severity};
use expr::Expr;
use template::Template;

/// A checked rule.
#[derive(Debug, Clone)]
pub struct Rule {
    /// The file's name without `.toml`.
    pub id: String,
    /// The folder that it stands in; empty for an administrator's rule at the top of a folder.
    pub area: String,
    /// The file, as messages name it.
    pub origin: String,
    /// The file's text.
    pub source: Arc<str>,
    /// One line without values, for lists of rules.
    pub summary: String,
    /// The version that first had the rule.
    pub since: Option<String>,
    pub kind: Kind,
    pub profile: Profile,
    pub for_each: Subject,
    /// No finding about a key that another finding proposes to change.
    pub unless_changed: bool,
    /// Ids of the rules whose finding in the same namespace explains that of this one; the first that is found counts.
    pub follows_from: Vec<String>,
    /// What must hold for every level.
    pub when: Option<Expr>,
    /// At least one, the worst first. The first one whose condition holds makes the finding.
    pub levels: Vec<Level>,
    pub explain: String,
    pub references: Vec<String>,
    pub params: BTreeMap<String, Param>,
    pub evidence: Vec<Evidence>,
    pub recommend: Vec<Recommend>,
    pub advise: Vec<Advise>,
    pub avoid: Vec<Avoid>,
    pub looks: Vec<NextLook>,
    /// What must not become true after a recommended change.
    pub guard: Option<Expr>,
    pub tests: Vec<RuleTest>,
}

impl Rule {
    /// That of the worst level.
    pub fn severity(&self) -> Severity {
        self.levels.iter().map(|level| level.severity).max().unwrap_or(Severity::Notice)
    }

    /// Those of all levels, the worst first, each once.
    pub fn severities(&self) -> Vec<Severity> {
        let mut severities: Vec<_> = self.levels.iter().map(|level| level.severity).collect();
        severities.dedup();
        severities
    }

    /// The conditions under which it fires.
    pub fn conditions(&self) -> impl Iterator<Item = &Expr> {
        self.when.iter().chain(self.levels.iter().map(|level| &level.when))
    }

    /// Whether its conditions look at sockets, counters or interfaces, and not at settings alone.
    pub fn is_about_what_happens(&self) -> bool {
        const SETTINGS: [&str; 9] =
            ["net.", "fs.", "kernel.", "vm.", "setting.", "params.", "host.", "netns.", "role."];
        const ASKED: [&str; 3] = ["default(", "effective(", "own("];
        let of_settings = |name: &str| SETTINGS.iter().chain(&ASKED).any(|start| name.starts_with(start));
        let is_rule_of_files = self.for_each == Subject::Key
            || self.conditions().flat_map(Expr::names).any(|name| name.starts_with("persisted."));
        let may_hurt = !matches!(self.kind, Kind::Security | Kind::Hygiene);
        may_hurt && !is_rule_of_files && self.conditions().flat_map(Expr::names).any(|name| !of_settings(name))
    }

    /// All names that its conditions, numbers, proposals and texts use; some more than once.
    pub fn names(&self) -> impl Iterator<Item = &str> {
        let conditions = self.conditions().chain(&self.guard);
        let numbers = self.evidence.iter().map(|evidence| &evidence.expr);
        let proposals = self.recommend.iter().flat_map(|part| std::iter::once(&part.value).chain(&part.when));
        let advice =
            self.advise.iter().map(|part| &part.when).chain(self.looks.iter().map(|part| &part.when)).flatten();
        let titles = self.levels.iter().map(|level| &level.title);
        let texts =
            titles.chain(self.advise.iter().map(|part| &part.text)).chain(self.looks.iter().map(|part| &part.run));
        let expressions = conditions.chain(numbers).chain(proposals).chain(advice);
        expressions.flat_map(Expr::names).chain(texts.flat_map(Template::names))
    }
}

/// One strength of what a rule finds.
#[derive(Debug, Clone)]
pub struct Level {
    /// Empty in a rule without `[[level]]`.
    pub name: String,
    pub severity: Severity,
    pub title: Template,
    pub when: Expr,
}

/// A threshold that can be overridden.
#[derive(Debug, Clone, PartialEq)]
pub struct Param {
    pub value: Value,
    pub help: String,
}

/// A number shown with a finding.
#[derive(Debug, Clone)]
pub struct Evidence {
    pub label: String,
    pub expr: Expr,
    /// Of the metric, when the expression is nothing but one metric; else empty.
    pub unit: String,
}

/// A proposed change of one key.
#[derive(Debug, Clone)]
pub struct Recommend {
    /// With `*` for the interface that the finding is about; [`Self::OWN_KEY`] for the key that it is about.
    pub key: String,
    pub value: Expr,
    pub when: Option<Expr>,
    pub bound: Bound,
    pub risk: Risk,
    pub side_effects: String,
}

impl Recommend {
    /// Stands for the key that the finding is about.
    pub const OWN_KEY: &str = "*";
}

/// What somebody else must do.
#[derive(Debug, Clone)]
pub struct Advise {
    pub who: String,
    pub text: Template,
    pub when: Option<Expr>,
}

/// A command of another tool.
#[derive(Debug, Clone)]
pub struct NextLook {
    pub run: Template,
    pub shows: String,
    pub when: Option<Expr>,
}

/// A wrong remedy.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Avoid {
    pub what: String,
    pub why: String,
}

/// A test inside a rule file.
#[derive(Debug, Clone)]
pub struct RuleTest {
    pub name: String,
    /// Place of `given` in the file.
    pub span: Range<usize>,
    pub given: BTreeMap<String, Value>,
    pub expect: Expect,
    /// The name of the level that fires, in a rule that has several.
    pub level: Option<String>,
    pub unread: Vec<String>,
    pub recommends: BTreeMap<String, String>,
}

/// The JSON Schema of a rule file.
pub fn schema() -> schemars::Schema {
    schemars::schema_for!(file::RuleFile)
}
