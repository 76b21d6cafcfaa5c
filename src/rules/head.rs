//! Of a shipped rule that which tells whether it is quiet: its conditions. Most rules are quiet, and the rest of those need not
//! be read.
//!
//! In: the conditions and parameters as the build wrote them down. Out: [`Head`]. Must not: evaluate; `audit` does.

use std::collections::BTreeMap;
use std::sync::OnceLock;

use serde::Deserialize;

use super::Param;
use super::expr::Expr;
use super::names::RuleNames;
use crate::metrics::subjects::Subject;
use crate::metrics::value::{Type, Value};

/// The conditions of a rule.
#[derive(Debug)]
pub struct Head {
    pub for_each: Subject,
    /// What must hold for every level.
    pub when: Option<Expr>,
    /// The conditions of the levels as texts: where `when` does not hold they are not compiled.
    texts: Vec<String>,
    levels: OnceLock<Option<Vec<Expr>>>,
    params: BTreeMap<String, Param>,
}

#[derive(Deserialize)]
struct HeadFile {
    #[serde(default)]
    for_each: Subject,
    when: Option<String>,
    #[serde(default)]
    level: Vec<LevelFile>,
    #[serde(default)]
    params: BTreeMap<String, ParamFile>,
}

#[derive(Deserialize)]
struct LevelFile {
    when: String,
}

#[derive(Deserialize)]
struct ParamFile {
    value: serde_json::Value,
}

impl Head {
    /// `None` for what is none; a test proves that each shipped rule has one that agrees with it.
    pub(super) fn parse(json: &str) -> Option<Self> {
        let HeadFile { for_each, when, level, params } = serde_json::from_str(json).ok()?;
        let param = |(name, param): (String, ParamFile)| {
            Some((name, Param { value: value(&param.value)?, help: String::new() }))
        };
        let params = params.into_iter().map(param).collect::<Option<BTreeMap<_, _>>>()?;
        let texts: Vec<String> = level.into_iter().map(|level| level.when).collect();
        let (every, texts) = match (when, texts.is_empty()) {
            (Some(only), true) => (None, vec![only]),
            (every, _) => (every, texts),
        };
        let mut head = Self { for_each, when: None, texts, levels: OnceLock::new(), params };
        if let Some(every) = every {
            head.when = Some(head.compiled(&every)?);
        }
        Some(head)
    }

    fn compiled(&self, condition: &str) -> Option<Expr> {
        Expr::compile_as(condition, Type::Bool, &RuleNames::new(self.for_each, &self.params)).ok()
    }

    /// The conditions of the levels, the worst first.
    pub fn levels(&self) -> Option<&[Expr]> {
        let compile = || self.texts.iter().map(|text| self.compiled(text)).collect();
        self.levels.get_or_init(compile).as_deref()
    }

    /// All conditions.
    pub fn conditions(&self) -> impl Iterator<Item = &Expr> {
        self.when.iter().chain(self.levels().unwrap_or_default())
    }

    /// The value of a parameter.
    pub fn param(&self, name: &str) -> Option<&Value> {
        self.params.get(name).map(|param| &param.value)
    }
}

fn value(json: &serde_json::Value) -> Option<Value> {
    match json {
        serde_json::Value::Bool(value) => Some(Value::Bool(*value)),
        serde_json::Value::String(value) => Some(Value::Text(value.clone())),
        serde_json::Value::Number(number) => {
            number.as_i64().map(Value::Int).or_else(|| number.as_f64().map(Value::Double))
        }
        _ => None,
    }
}
