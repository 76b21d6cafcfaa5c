//! Of a shipped rule that which tells whether it is quiet: its conditions. Most rules are quiet, and the rest of those need not
//! be read.
//!
//! In: the conditions and parameters as the build wrote them down. Out: [`Head`]. Must not: evaluate; `audit` does.

use std::collections::BTreeMap;

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
    /// The conditions of the levels, the worst first.
    pub levels: Vec<Expr>,
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
        let scope = RuleNames::new(for_each, &params);
        let condition = |text: &str| Expr::compile_as(text, Type::Bool, &scope).ok();
        let (when, levels) = match (when, &level[..]) {
            (Some(only), []) => (None, vec![condition(&only)?]),
            (Some(every), _) => (Some(condition(&every)?), conditions(&level, condition)?),
            (None, _) => (None, conditions(&level, condition)?),
        };
        Some(Self { for_each, when, levels, params })
    }

    /// All conditions.
    pub fn conditions(&self) -> impl Iterator<Item = &Expr> {
        self.when.iter().chain(&self.levels)
    }

    /// The value of a parameter.
    pub fn param(&self, name: &str) -> Option<&Value> {
        self.params.get(name).map(|param| &param.value)
    }
}

fn conditions(levels: &[LevelFile], compile: impl Fn(&str) -> Option<Expr>) -> Option<Vec<Expr>> {
    levels.iter().map(|level| compile(&level.when)).collect()
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
