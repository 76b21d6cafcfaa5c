//! What a network namespace is called.
//!
//! In: how it was found, or the name as a file has it. Out: [`NamespaceName`], the one place that makes such names and
//! takes them apart. Must not: look for a namespace.

use std::fmt;
use std::ops::Deref;
use std::sync::Arc;

use schemars::JsonSchema;
use serde::{Deserialize, Deserializer, Serialize, Serializer};

/// The name of a network namespace, unique in a snapshot.
#[derive(Debug, Clone, Default, PartialEq, Eq, PartialOrd, Ord, Hash, JsonSchema)]
#[serde(transparent)]
#[schemars(inline)]
pub struct NamespaceName(
    // Copies share it: everything that is said of a namespace has one.
    Arc<str>,
);

impl Serialize for NamespaceName {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.serialize_str(self.as_str())
    }
}

impl<'de> Deserialize<'de> for NamespaceName {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        String::deserialize(deserializer).map(Self::from)
    }
}

/// Where a name is from.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Naming<'a> {
    /// The machine's first namespace.
    Host,
    /// The observer's own, which has no name.
    Current,
    /// Under `/run/netns`: a person or a program gave it, and it stays.
    Given,
    /// After a process inside, for want of a name; its number is another one after a restart.
    Process { pid: u32, program: &'a str },
}

impl NamespaceName {
    pub const HOST: &'static str = "host";
    pub const CURRENT: &'static str = "current";

    pub fn host() -> Self {
        Self(Self::HOST.into())
    }

    pub fn current() -> Self {
        Self(Self::CURRENT.into())
    }

    /// `pid 1234 (nginx)`.
    pub fn of_process(pid: u32, program: &str) -> Self {
        Self(format!("pid {pid} ({program})").into())
    }

    pub fn as_str(&self) -> &str {
        &self.0
    }

    pub fn naming(&self) -> Naming<'_> {
        match self.as_str() {
            Self::HOST => Naming::Host,
            Self::CURRENT => Naming::Current,
            other => process(other).map_or(Naming::Given, |(pid, program)| Naming::Process { pid, program }),
        }
    }

    /// The same before and after a restart of the process that it is called after: `pid * (nginx)`.
    pub fn without_pid(&self) -> String {
        match self.naming() {
            Naming::Process { program, .. } => format!("pid * ({program})"),
            _ => self.as_str().to_owned(),
        }
    }

    /// Whether the two names are of two namespaces, whatever else is the same: both were given, and they differ.
    pub fn excludes(&self, other: &Self) -> bool {
        self != other && self.naming() == Naming::Given && other.naming() == Naming::Given
    }
}

/// The name as people read it: the observer's own namespace is `this network namespace`.
pub fn in_words(name: &str) -> &str {
    if name == NamespaceName::CURRENT { "this network namespace" } else { name }
}

/// `this network namespace`, `the network namespace blue`.
pub fn with_article(name: &str) -> String {
    if name == NamespaceName::CURRENT { in_words(name).to_owned() } else { format!("the network namespace {name}") }
}

/// `blue (net:[1])`, and the number alone of one that had no name.
pub fn with_number(name: &str, number: &str) -> String {
    if name == NamespaceName::CURRENT { number.to_owned() } else { format!("{name} ({number})") }
}

/// `the name blue`, `no name`.
pub fn called(name: &NamespaceName) -> String {
    if name.naming() == Naming::Current { "no name".to_owned() } else { format!("the name {name}") }
}

fn process(name: &str) -> Option<(u32, &str)> {
    let (pid, program) = name.strip_prefix("pid ")?.split_once(' ')?;
    Some((pid.parse().ok()?, program.strip_prefix('(')?.strip_suffix(')')?))
}

impl From<String> for NamespaceName {
    fn from(name: String) -> Self {
        Self(name.into())
    }
}

impl From<&str> for NamespaceName {
    fn from(name: &str) -> Self {
        Self(name.into())
    }
}

impl From<NamespaceName> for String {
    fn from(name: NamespaceName) -> Self {
        name.as_str().to_owned()
    }
}

impl Deref for NamespaceName {
    type Target = str;

    fn deref(&self) -> &str {
        &self.0
    }
}

impl PartialEq<str> for NamespaceName {
    fn eq(&self, other: &str) -> bool {
        self.as_str() == other
    }
}

impl PartialEq<&str> for NamespaceName {
    fn eq(&self, other: &&str) -> bool {
        self.as_str() == *other
    }
}

impl fmt::Display for NamespaceName {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.pad(&self.0)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn named(name: &str) -> NamespaceName {
        name.into()
    }

    #[test]
    fn a_name_after_a_process_is_recognised_after_its_restart() {
        assert_eq!(NamespaceName::of_process(4711, "nginx").without_pid(), named("pid 12 (nginx)").without_pid());
        assert_ne!(named("pid 4711 (nginx)").without_pid(), named("pid 4711 (redis)").without_pid());
        assert_eq!(named("pid 7 (a b) c)").without_pid(), "pid * (a b) c)");
        for given in ["blue", "pid x (y)", "pid 7", "pid 7 y"] {
            assert_eq!((named(given).naming(), named(given).without_pid().as_str()), (Naming::Given, given));
        }
    }

    #[test]
    fn people_read_no_name_where_there_is_none() {
        assert_eq!(
            (in_words("current"), with_article("current").as_str()),
            ("this network namespace", "this network namespace")
        );
        assert_eq!(
            (with_number("current", "net:[1]").as_str(), called(&named("current")).as_str()),
            ("net:[1]", "no name")
        );
        assert_eq!((with_number("blue", "7").as_str(), called(&named("blue")).as_str()), ("blue (7)", "the name blue"));
        assert_eq!((in_words("blue"), with_article("blue").as_str()), ("blue", "the network namespace blue"));
    }

    #[test]
    fn only_two_given_names_exclude_each_other() {
        assert!(named("blue").excludes(&named("green")));
        for (one, other) in [("blue", "blue"), ("blue", "current"), ("host", "green"), ("pid 7 (x)", "blue")] {
            assert!(!named(one).excludes(&named(other)), "{one} {other}");
        }
    }
}
