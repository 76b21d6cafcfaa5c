//! What a diagnosis rests on.
//!
//! In: what a boot would set, what is in force, the facts around it. Out: [`Evidence`] and simple questions to it.
//! Must not: judge.

use std::collections::BTreeMap;

use super::knowledge;
use crate::drift::model::Resolution;
use crate::drift::value::quoted;
use crate::host::rehearse::Answer;
use crate::observe::kernels::Kernels;
use crate::observe::surroundings::{KeyState, Surroundings};
use crate::observe::sysctls::Sysctls;

/// What the diagnosis rests on.
#[derive(Debug, Clone, Copy)]
pub(in crate::drift) struct Evidence<'a> {
    pub(in crate::drift) resolution: &'a Resolution,
    /// `None`: there is nothing to compare with, as for an image that is not running.
    pub(in crate::drift) sysctls: Option<&'a Sysctls>,
    pub(in crate::drift) surroundings: &'a Surroundings,
    pub(in crate::drift) kernels: &'a Kernels,
    /// Whether the namespace is the machine's first.
    pub(in crate::drift) initial: bool,
    /// What the kernel said to the values of the files, by key.
    pub(in crate::drift) rehearsed: &'a BTreeMap<String, Answer>,
}

impl Evidence<'_> {
    pub(in crate::drift) fn is_booted(&self) -> bool {
        self.surroundings.is_booted(self.initial)
    }

    /// What is in force.
    pub(in crate::drift) fn state(&self, key: &str) -> KeyState {
        let Some(sysctls) = self.sysctls else { return KeyState::Unread("nothing was compared".to_owned()) };
        match (sysctls.get(key), self.surroundings.keys.get(key)) {
            (Some(text), _) => KeyState::Value(text.clone()),
            (None, Some(state)) => state.clone(),
            (None, None) => KeyState::Unread("its value was not read".to_owned()),
        }
    }

    /// The running program that is known to write a key, as sentences.
    pub(in crate::drift) fn writer(&self, key: &str) -> Option<String> {
        let programs = &self.surroundings.programs;
        // TuneD says itself what it sets.
        if let (Some(profile), Some(number)) = (&self.surroundings.tuned, programs.get("tuned"))
            && let Some(value) = profile.get(key)
        {
            let value = quoted(value);
            return Some(format!("tuned is running (process {number}). Its active profile sets this key to {value}."));
        }
        let may_write =
            |program: &str| programs.contains_key(program) && (program != "tuned" || self.surroundings.tuned.is_none());
        let writer = knowledge::writer(key, may_write)?;
        let number = programs.get(writer.program)?;
        Some(format!("{} is running (process {number}). {}", writer.program, writer.how))
    }

    pub(in crate::drift) fn is_loaded(&self, module: &str) -> bool {
        self.surroundings.modules.as_ref().is_some_and(|modules| modules.contains(module))
    }
}
