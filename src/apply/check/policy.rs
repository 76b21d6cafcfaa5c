//! What the administrator allows a plan to change.
//!
//! In: the `[apply]` section of the configuration. Out: [`Policy`], which says of a key whether it may be written.
//! Must not: loosen what [`check`](crate::apply::check) demands of every plan.

use std::time::Duration;

use crate::keys::Risk;
use crate::pattern::matches;

/// Limits on plans; the default allows all keys of the catalogue that a plan can hold.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Policy {
    /// Globs; when there are some, a key must match one.
    pub only: Vec<String>,
    /// Globs; a key must match none.
    pub never: Vec<String>,
    pub max_risk: Option<Risk>,
    pub max_changes: Option<usize>,
    /// How long a rule is left alone that made something worse; zero: not at all.
    pub cool_down: Duration,
}

impl Policy {
    /// Why a key with this risk may not be written.
    pub fn allows(&self, key: &str, risk: Risk) -> Result<(), String> {
        let matching = |globs: &[String]| globs.iter().any(|glob| matches(glob, key));
        if matching(&self.never) || (!self.only.is_empty() && !matching(&self.only)) {
            return Err("the configuration does not allow this key to be changed ([apply] only, never)".to_owned());
        }
        match self.max_risk {
            Some(most) if risk > most => Err(format!(
                "its risk is {}, and the configuration allows {} at most ([apply] max_risk)",
                risk.name(),
                most.name()
            )),
            _ => Ok(()),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn each_limit_refuses() {
        let key = "net.ipv4.tcp_rmem";
        assert!(Policy::default().allows(key, Risk::High).is_ok());
        let only = Policy { only: vec!["net.core.*".into()], ..Policy::default() };
        let never = Policy { never: vec!["*rmem".into()], ..Policy::default() };
        let low = Policy { max_risk: Some(Risk::Low), ..Policy::default() };
        assert!(only.allows(key, Risk::Low).is_err() && only.allows("net.core.somaxconn", Risk::Low).is_ok());
        assert!(never.allows(key, Risk::Low).is_err() && never.allows("net.core.somaxconn", Risk::Low).is_ok());
        assert!(low.allows(key, Risk::Medium).is_err() && low.allows(key, Risk::Low).is_ok());
    }
}
