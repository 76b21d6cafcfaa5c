//! What a scenario is: a fault, or what merely looks like one, as a list of steps.
//!
//! In: the files of `lab/`, compiled in. Out: [`Scenario`]. Must not: do anything on a machine.

use std::path::Path;

use serde::Deserialize;

use super::act::Act;
use super::event::{Kind, Outcome};
use super::expect::Expect;
use crate::model::Profile;
use crate::rules::toml_file;
use crate::suggest;

/// Area, name and text of each scenario; the build makes this table.
static SHIPPED: &[(&str, &str, &str)] = include!(concat!(env!("OUT_DIR"), "/shipped_scenarios.rs"));

/// A fault, or a healthy host that looks like one.
#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Scenario {
    /// The name of its file.
    #[serde(skip)]
    pub name: String,
    /// The folder of its file.
    #[serde(skip)]
    pub area: String,
    /// A line.
    pub title: String,
    /// What happens and why, in a few sentences.
    pub story: String,
    /// Whether it needs a whole machine: what it changes there is only once.
    #[serde(default)]
    pub host: bool,
    /// Whether the audit looks at the far host: a container of this machine, which cannot see or set what the machine has.
    #[serde(default)]
    pub container: bool,
    /// Whether it only shows how the kernel works: nothing is audited.
    #[serde(default)]
    pub lesson: bool,
    /// Rules that have to find it. None: a healthy look-alike, of which no rule may say anything.
    #[serde(default)]
    pub shows: Vec<String>,
    /// Rules that may find something as well.
    #[serde(default)]
    pub besides: Vec<String>,
    /// Rules that the look-alike resembles.
    #[serde(default)]
    pub resembles: Vec<String>,
    /// What findings have to say, beyond being there.
    #[serde(default)]
    pub expect: Vec<Expect>,
    /// How long each audit looks, in seconds.
    #[serde(default = "one_second")]
    pub window: f64,
    /// `RULE.NAME=VALUE`, so that nobody has to wait for half an hour.
    #[serde(default)]
    pub params: Vec<String>,
    #[serde(default)]
    pub profile: Profile,
    /// What the process of this host is called that has the sockets.
    #[serde(default = "server")]
    pub process: String,
    /// What is there first: settings, servers.
    #[serde(default)]
    pub step: Vec<Step>,
    /// What goes on while an audit looks. It is done anew before each audit, and what it made is ended after it.
    #[serde(default)]
    pub load: Vec<Step>,
    /// What is shown before and after.
    #[serde(default)]
    pub measure: Vec<Measure>,
    /// What people try instead.
    #[serde(default)]
    pub wrong: Vec<Wrong>,
    pub remedy: Option<Remedy>,
}

/// One thing that happens, in the order of the file.
#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Step {
    /// A sentence for who looks on.
    pub say: Option<String>,
    /// Lines whose spaces matter, such as the two sides of a handshake.
    pub picture: Option<String>,
    #[serde(rename = "do")]
    pub act: Option<Act>,
}

/// A number, by an expression over the metrics of the namespace.
#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Measure {
    pub what: String,
    pub value: String,
}

/// A remedy that people try, and that does nothing or harm.
#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Wrong {
    /// What is tried: "lower tcp_fin_timeout to 5".
    pub advice: String,
    /// What is true, once it was seen.
    pub why: String,
    #[serde(default)]
    pub step: Vec<Step>,
    /// Rules that find something only now.
    #[serde(default)]
    pub harms: Vec<String>,
    /// Rules that find the same fault now, by another name.
    #[serde(default)]
    pub still: Vec<String>,
    /// What it does to numbers of `measure` is the point: the findings may go although nothing is better.
    #[serde(default)]
    pub hides: bool,
}

/// What ends the fault.
#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Remedy {
    /// Whether what the audit recommends is done first.
    #[serde(default = "yes")]
    pub follow: bool,
    /// What the application or the network does.
    #[serde(default)]
    pub step: Vec<Step>,
    /// Rules that may still find something afterwards: the past is not undone.
    #[serde(default)]
    pub leaves: Vec<String>,
}

const fn one_second() -> f64 {
    1.0
}

fn server() -> String {
    "lab-server".to_owned()
}

const fn yes() -> bool {
    true
}

impl Scenario {
    /// Reads the text of a file.
    ///
    /// # Errors
    /// Names the line and what was wanted.
    pub fn parse(area: &str, name: &str, text: &str) -> Result<Self, String> {
        let scenario: Self = toml::from_str(text).map_err(|error| format!("lab/{area}/{name}.toml: {error}"))?;
        Ok(Self { name: name.to_owned(), area: area.to_owned(), ..scenario })
    }

    /// Reads a file of somebody's own.
    fn of_file(path: &str) -> Result<Self, String> {
        let text = toml_file::read(Path::new(path)).map_err(|why| format!("{path}: {why}"))?;
        let scenario: Self = toml::from_str(&text).map_err(|error| format!("{path}: {error}"))?;
        Ok(Self { name: path.to_owned(), area: "yours".to_owned(), ..scenario })
    }

    pub const fn kind(&self) -> Kind {
        match (self.lesson, self.shows.is_empty()) {
            (true, _) => Kind::Lesson,
            (false, true) => Kind::LookAlike,
            (false, false) => Kind::Fault,
        }
    }

    pub const fn is_fault(&self) -> bool {
        matches!(self.kind(), Kind::Fault)
    }

    /// Whether a word is part of its area, name, title or rules.
    pub fn mentions(&self, word: &str) -> bool {
        let word = word.to_lowercase();
        let rules = self.shows.iter().chain(&self.resembles);
        [&self.area, &self.name, &self.title].into_iter().chain(rules).any(|text| text.to_lowercase().contains(&word))
    }

    /// What is known of it before it is played.
    pub fn outcome(&self) -> Outcome {
        Outcome {
            name: self.name.clone(),
            area: self.area.clone(),
            title: self.title.clone(),
            kind: self.kind(),
            expected: self.shows.clone(),
            ..Outcome::default()
        }
    }
}

/// Every scenario, by area and name.
///
/// # Errors
/// If one of the files that the program was built with is wrong.
pub fn all() -> Result<Vec<Scenario>, String> {
    SHIPPED.iter().map(|(area, name, text)| Scenario::parse(area, name, text)).collect()
}

/// The scenario of this name, or in this file.
///
/// # Errors
/// Names the nearest there is.
pub fn named(name: &str) -> Result<Scenario, String> {
    if name.ends_with(".toml") {
        return Scenario::of_file(name);
    }
    let found = SHIPPED.iter().find(|(_, known, _)| *known == name);
    match found {
        Some((area, name, text)) => Scenario::parse(area, name, text),
        None => {
            let near = suggest::nearest_name(name, SHIPPED.iter().map(|(_, known, _)| *known));
            let hint = near.map_or_else(|| ";".to_owned(), |near| format!("; did you mean `{near}`?"));
            Err(format!("there is no scenario `{name}`{hint} `lab list` has them all"))
        }
    }
}

/// The names of the scenarios that show a rule.
pub fn of_rule(rule: &str) -> Vec<&'static str> {
    let shows = |text: &str, name, area| {
        Scenario::parse(area, name, text).is_ok_and(|scenario| scenario.shows.iter().any(|shown| shown == rule))
    };
    // Most scenarios do not even name it; parsing them all would cost as much as an audit.
    let may = SHIPPED.iter().filter(|(_, _, text)| text.contains(rule));
    may.filter(|(area, name, text)| shows(text, name, area)).map(|(_, name, _)| *name).collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::rules::set::RuleSet;

    fn rules(scenario: &Scenario) -> Vec<&String> {
        let Scenario { shows, besides, resembles, wrong, remedy, .. } = scenario;
        let wrong = wrong.iter().flat_map(|wrong| wrong.harms.iter().chain(&wrong.still));
        let leaves = remedy.iter().flat_map(|remedy| &remedy.leaves);
        shows.iter().chain(besides).chain(resembles).chain(wrong).chain(leaves).collect()
    }

    #[test]
    fn every_scenario_can_be_read_and_names_only_rules_that_exist() {
        let shipped = RuleSet::shipped();
        for scenario in all().unwrap() {
            for rule in rules(&scenario) {
                assert!(shipped.get(rule).is_some(), "{}: there is no rule {rule}", scenario.name);
            }
            assert!(scenario.story.trim().len() > 60, "{}: the story says too little", scenario.name);
            assert!(scenario.host || !scenario.container, "{}: a container of which machine?", scenario.name);
            assert!(!scenario.title.ends_with('.'), "{}: the title ends with a dot", scenario.name);
            for Expect { rule, .. } in &scenario.expect {
                let may = scenario.shows.iter().chain(&scenario.besides).any(|known| known == rule);
                assert!(may, "{}: {rule} is expected to say something, and not to find anything", scenario.name);
            }
            if scenario.lesson {
                assert!(rules(&scenario).is_empty(), "{}: a lesson is not audited", scenario.name);
            } else if scenario.is_fault() {
                assert!(scenario.remedy.is_some(), "{}: nothing ends the fault", scenario.name);
            } else {
                assert!(!scenario.resembles.is_empty(), "{}: what does it look like?", scenario.name);
                assert!(scenario.remedy.is_none(), "{}: there is nothing to end", scenario.name);
            }
        }
    }

    #[test]
    fn no_two_scenarios_have_the_same_name() {
        let mut names: Vec<&str> = SHIPPED.iter().map(|(_, name, _)| *name).collect();
        names.sort_unstable();
        let count = names.len();
        names.dedup();
        assert_eq!(names.len(), count);
    }

    #[test]
    fn what_is_measured_is_an_expression_over_the_metrics() {
        for scenario in all().unwrap() {
            for Measure { what, value } in &scenario.measure {
                assert!(crate::rules::measure(value).is_ok(), "{}: {what}: {value}", scenario.name);
            }
        }
    }

    #[test]
    fn a_name_that_is_nearly_right_is_answered_with_the_right_one() {
        let error = named("acept-queue").unwrap_err();
        assert_eq!(error, "there is no scenario `acept-queue`; did you mean `accept-queue`? `lab list` has them all");
    }

    #[test]
    fn a_field_that_does_not_exist_is_an_error_with_its_line() {
        let error = Scenario::parse("area", "name", "title = 'a'\nstory = 'b'\nshow = ['c']\n").unwrap_err();
        assert!(error.contains("lab/area/name.toml") && error.contains("line 3"), "{error}");
        let wrong = "title = 'a'\nstory = 'b'\n[[step]]\ndo.listen = { name = 'x', at = '0.0.0.0:1', backlogg = 3 }\n";
        assert!(Scenario::parse("area", "name", wrong).unwrap_err().contains("backlogg"));
        let wrong = "title = 'a'\nstory = 'b'\n[[step]]\ndo.connect = { name = 'x', to = '10.2.0.1:1', counts = 3 }\n";
        assert!(Scenario::parse("area", "name", wrong).unwrap_err().contains("counts"));
    }
}
