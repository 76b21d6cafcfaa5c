//! Which names a rule's expressions may use: the metrics of its subject, its parameters, and in a guard the values before.
//!
//! In: a name. Out: its type, or why it cannot be used here. Must not: compute values.

use std::collections::BTreeMap;

use super::Param;
use super::expr::{Expr, ExprError, Name, Names};
use crate::keys::{self, InterfaceKey, Key};
use crate::metrics::defaults;
use crate::metrics::names;
use crate::metrics::subjects::Subject;
use crate::metrics::value::{Type, Value};
use crate::suggest;

/// The names of one rule.
#[derive(Debug, Clone)]
pub(super) struct RuleNames<'a> {
    subject: Subject,
    params: &'a BTreeMap<String, Param>,
    before: bool,
}

impl<'a> RuleNames<'a> {
    pub(super) const fn new(subject: Subject, params: &'a BTreeMap<String, Param>) -> Self {
        Self { subject, params, before: false }
    }

    pub(super) const fn subject(&self) -> Subject {
        self.subject
    }

    /// Those of the rule's guard: it is judged for the namespace as a whole, with `before.*`.
    pub(super) const fn of_guard(&self) -> Self {
        Self { subject: Subject::Namespace, params: self.params, before: true }
    }

    /// The type of a name, or a hint at what there is.
    pub(super) fn kind(&self, name: &str) -> Result<Type, Option<String>> {
        if let Some(param) = name.strip_prefix("params.") {
            return match self.params.get(param) {
                Some(param) => Ok(param.value.kind()),
                None => Err(suggest::nearest(param, self.params.keys().map(String::as_str))
                    .map(|near| format!("did you mean `params.{near}`?"))
                    .or_else(|| Some("this rule has no parameter of this name in [params]".to_owned()))),
            };
        }
        let metric = match name.strip_prefix("before.") {
            Some(_) if !self.before => return Err(Some("`before.*` can be used only in [guard]".to_owned())),
            Some(metric) => metric,
            None => name,
        };
        if self.before && defaults::key_of(metric).is_some() {
            return Err(Some("default() cannot be used in [guard]: a guard compares what a change alters".to_owned()));
        }
        let found = names::find(metric).ok_or_else(|| names::suggest(metric))?;
        match found.subject {
            subject if subject.is_of_every_rule() => Ok(found.kind),
            subject if subject == self.subject => Ok(found.kind),
            _ if self.before => Err(Some(
                "a guard is evaluated for the whole network namespace, so names of a single subject cannot be used"
                    .to_owned(),
            )),
            subject => Err(Some(format!("`{name}` can be used only in a rule with for_each = \"{}\"", subject.name()))),
        }
    }
}

impl Names for RuleNames<'_> {
    fn lookup(&self, name: &str) -> Name {
        match self.kind(name) {
            Ok(kind) => Name::Found(kind),
            Err(help) => Name::Unknown(help),
        }
    }
}

/// Compiles the condition of a guard that was taken out of its rule, with the values of the rule's parameters.
pub fn guard(worse_if: &str, params: &BTreeMap<String, Value>) -> Result<Expr, Vec<ExprError>> {
    let param = |(name, value): (&String, &Value)| (name.clone(), Param { value: value.clone(), help: String::new() });
    let params = params.iter().map(param).collect();
    Expr::compile_as(worse_if, Type::Bool, &RuleNames::new(Subject::Namespace, &params).of_guard())
}

/// Compiles an expression over the metrics of a namespace.
pub fn measure(expression: &str) -> Result<Expr, Vec<ExprError>> {
    Expr::compile(expression, &RuleNames::new(Subject::Namespace, &BTreeMap::new()))
}

/// The key that a rule on this subject recommends, or what is wrong with its name and what there is instead. `*` is the interface
/// that a finding is about.
pub(super) fn key_to_set(name: &str, subject: Subject) -> Result<&'static Key, (String, Option<String>)> {
    match keys::catalogue().get(name) {
        Some(key) if key.name == *name && (subject == Subject::Interface || !name.contains('*')) => Ok(key),
        Some(_) => {
            let help = InterfaceKey::of(name).map(|key| {
                format!(
                    "use `{}` or `{}`, or `{}` in a rule with for_each = \"interface\"",
                    key.with("all"),
                    key.with("default"),
                    key.general()
                )
            });
            Err(("a rule cannot set the key of one interface".to_owned(), help))
        }
        None => {
            let near = keys::catalogue().suggest(name).map(|near| near.replace('*', "all"));
            let help = near.map(|near| format!("did you mean `{near}`?"));
            Err((format!("there is no key `{name}` in the catalogue"), help))
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const USE: &str = "use `net.ipv4.conf.all.rp_filter` or `net.ipv4.conf.default.rp_filter`, or \
                       `net.ipv4.conf.*.rp_filter` in a rule with for_each = \"interface\"";

    #[test]
    fn a_rule_on_interfaces_sets_the_key_of_the_one_that_it_found() {
        assert!(key_to_set("net.ipv4.conf.*.rp_filter", Subject::Interface).is_ok());
        assert_eq!(key_to_set("net.ipv4.conf.eth0.rp_filter", Subject::Interface).unwrap_err().1.as_deref(), Some(USE));
    }

    #[test]
    fn a_rule_sets_keys_of_all_interfaces_or_of_new_ones_and_not_of_one() {
        let key_to_set = |name| key_to_set(name, Subject::Namespace);
        assert_eq!(key_to_set("net.ipv4.conf.default.rp_filter").unwrap().name, "net.ipv4.conf.default.rp_filter");
        for (name, help) in [
            ("net.ipv4.conf.eth0.rp_filter", USE),
            ("net.ipv4.conf.*.rp_filter", USE),
            ("rp_filter", "did you mean `net.ipv4.conf.all.rp_filter`?"),
        ] {
            assert_eq!(key_to_set(name).unwrap_err().1.as_deref(), Some(help), "{name}");
        }
    }

    #[test]
    fn a_guard_knows_the_namespace_before_and_after_and_its_rule_s_parameters() {
        let params = [("more".to_owned(), Value::Int(5))].into();
        let compiled = guard("tcp.established > before.tcp.established + params.more", &params);
        assert_eq!(compiled.unwrap().kind(), Type::Bool);
        for (condition, why) in [
            ("listener.queue > 1", "evaluated for the whole network namespace"),
            ("before.destination.port_use > 0.5", "evaluated for the whole network namespace"),
            ("tcp.established > params.other", "no parameter of this name"),
            ("before.nonsense > 1", "prints all names"),
            ("tcp.total > default(\"net.ipv4.tcp_max_tw_buckets\")", "cannot be used in [guard]"),
        ] {
            let error = guard(condition, &params).unwrap_err().remove(0);
            assert!(error.help.as_deref().is_some_and(|help| help.contains(why)), "{condition}: {error:?}");
        }
        assert!(guard("tcp.established + params.more", &params).is_err(), "that is no condition");
    }
}
