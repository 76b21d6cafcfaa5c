//! The shape of a rule file, each part with its place in the text.
//!
//! In: TOML. Out: [`RuleFile`]. Must not: check more than the shape; `load` gives it a meaning.

use std::collections::BTreeMap;

use schemars::JsonSchema;
use serde::Deserialize;
use toml::Spanned;

use crate::keys::Risk;
use crate::metrics::subjects::Subject;
use crate::model::Bound;
use crate::model::{Kind, Profile, Severity};

/// A rule file as written.
#[derive(Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
#[schemars(title = "sysctl-advisor rule", rename = "Rule")]
pub(super) struct RuleFile {
    /// What the rule is about, in one line without values, for lists of rules: at most 80 characters.
    #[schemars(with = "String")]
    pub(super) summary: Spanned<String>,
    /// The version of this program, or of the rule's own collection, that first had the rule: `0.1.0`.
    #[serde(default)]
    pub(super) since: Option<String>,
    /// The headline of a finding, in one line; `{expression}` is replaced by its value. Not with `[[level]]`.
    #[schemars(with = "Option<String>")]
    pub(super) title: Option<Spanned<String>>,
    /// Not with `[[level]]`.
    #[schemars(with = "Option<Severity>")]
    pub(super) severity: Option<Spanned<Severity>>,
    pub(super) kind: Kind,
    /// The profile that the rule belongs to. A hardened rule is evaluated only with the profile hardened.
    #[serde(default)]
    pub(super) profile: Profile,
    /// The condition is evaluated once for each of these.
    #[serde(default)]
    pub(super) for_each: Subject,
    /// With `for_each = "key"` or `"setting"`: no finding about a key that another finding proposes to change.
    #[serde(default)]
    #[schemars(with = "bool")]
    pub(super) unless_changed: Option<Spanned<bool>>,
    /// Ids of rules. A finding of one of them in the same network namespace explains the finding of this rule, which the
    /// report shows under it. The first one that is found counts.
    #[serde(default)]
    #[schemars(with = "Vec<String>")]
    pub(super) follows_from: Vec<Spanned<String>>,
    /// The condition: an expression of type bool. With `[[level]]` it may be left out, and must hold for every level.
    #[schemars(with = "Option<String>")]
    pub(super) when: Option<Spanned<String>>,
    /// Several levels of the same problem, the most severe first. The first level whose condition holds makes the
    /// finding.
    #[serde(default)]
    pub(super) level: Vec<LevelFile>,
    /// What happens, why it matters, how the kernel works here.
    #[schemars(with = "String")]
    pub(super) explain: Spanned<String>,
    /// URLs, RFCs, kernel source files; at least one.
    #[schemars(with = "Vec<String>")]
    pub(super) references: Spanned<Vec<String>>,
    /// Parameters that the configuration can override. Expressions use them as `params.NAME`.
    #[serde(default)]
    pub(super) params: BTreeMap<String, ParamFile>,
    /// Labels with their expressions. A finding shows each label with the value. At least one.
    #[schemars(with = "BTreeMap<String, String>")]
    pub(super) evidence: Spanned<BTreeMap<Spanned<String>, Spanned<String>>>,
    #[serde(default)]
    pub(super) recommend: Vec<RecommendFile>,
    #[serde(default)]
    pub(super) advise: Vec<AdviseFile>,
    #[serde(default)]
    pub(super) avoid: Vec<AvoidFile>,
    /// Commands of other tools that show what the counters cannot.
    #[serde(default)]
    pub(super) look: Vec<LookFile>,
    pub(super) guard: Option<GuardFile>,
    /// At least one that fires and one that is quiet.
    #[serde(default)]
    pub(super) test: Vec<TestFile>,
}

#[derive(Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub(super) struct LevelFile {
    /// Lower case letters, digits and hyphens: `exhausted`.
    #[schemars(with = "String")]
    pub(super) name: Spanned<String>,
    pub(super) severity: Severity,
    #[schemars(with = "String")]
    pub(super) title: Spanned<String>,
    #[schemars(with = "String")]
    pub(super) when: Spanned<String>,
}

#[derive(Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub(super) struct ParamFile {
    /// An int, a double, a bool or a string.
    #[schemars(with = "serde_json::Value")]
    pub(super) value: Spanned<toml::Value>,
    /// What the threshold means, with its unit.
    pub(super) help: String,
}

#[derive(Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub(super) struct RecommendFile {
    #[schemars(with = "String")]
    pub(super) key: Spanned<String>,
    /// Expression for the proposed value.
    #[schemars(with = "String")]
    pub(super) value: Spanned<String>,
    /// Condition for this recommendation. Without it the recommendation is always made.
    #[schemars(with = "Option<String>")]
    pub(super) when: Option<Spanned<String>>,
    /// How proposals of several rules for the same key are merged.
    #[schemars(with = "Bound")]
    pub(super) bound: Spanned<Bound>,
    pub(super) risk: Risk,
    pub(super) side_effects: String,
}

#[derive(Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub(super) struct AdviseFile {
    /// `application`, `operator` or `network`.
    pub(super) who: String,
    #[schemars(with = "String")]
    pub(super) text: Spanned<String>,
    #[schemars(with = "Option<String>")]
    pub(super) when: Option<Spanned<String>>,
}

#[derive(Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub(super) struct AvoidFile {
    /// The wrong remedy.
    pub(super) what: String,
    pub(super) why: String,
}

#[derive(Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub(super) struct LookFile {
    /// A command that only reads and ends by itself, with values in braces; `{{` and `}}` are braces.
    #[schemars(with = "String")]
    pub(super) run: Spanned<String>,
    /// What it shows, as part of a sentence.
    pub(super) shows: String,
    #[schemars(with = "Option<String>")]
    pub(super) when: Option<Spanned<String>>,
}

#[derive(Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub(super) struct GuardFile {
    /// A condition that may also use `before.METRIC`, the value before the change.
    #[schemars(with = "String")]
    pub(super) worse_if: Spanned<String>,
}

#[derive(Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub(super) struct TestFile {
    #[schemars(with = "String")]
    pub(super) name: Spanned<String>,
    /// Metrics, keys and counters laid over a healthy host.
    #[schemars(with = "serde_json::Map<String, serde_json::Value>")]
    pub(super) given: Spanned<toml::Table>,
    pub(super) expect: Expect,
    /// The `[[level]]` that must fire. In a rule with levels, each test that fires must have it.
    #[schemars(with = "Option<String>")]
    pub(super) level: Option<Spanned<String>>,
    /// Names of metrics that could not be read.
    #[serde(default)]
    pub(super) unread: Vec<String>,
    /// Keys with the values that must be recommended for them.
    #[serde(default)]
    pub(super) recommends: BTreeMap<String, String>,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum Expect {
    Fires,
    Quiet,
    Skipped,
}
