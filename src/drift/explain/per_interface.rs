//! Lines for `all`, for `default` and for one interface that do not do what they seem to do, because the kernel puts the
//! values of `all` and of the interface together.
//!
//! In: [`AfterBoot`]. Out: [`Problem`]s. Must not: know how a key is put together; the catalogue of keys does.

use super::after::{AfterBoot, at};
use crate::drift::model::{Assignment, Problem, codes};
use crate::keys::number::integer;
use crate::keys::{self, Combination, InterfaceKey, Key};

/// One line with the parts of its key.
struct Part<'a> {
    line: &'a Assignment,
    key: InterfaceKey<'a>,
    number: i64,
    known: &'static Key,
    combination: Combination,
}

pub(super) fn problems(after: &AfterBoot<'_>, problems: &mut Vec<Problem>) {
    for part in after.drifts().filter_map(|drift| part(after, &drift.key)) {
        // A pattern sets `all` and the interfaces alike, so one of its keys speaks for all.
        if part.line.from_glob.is_some() && part.key.who != "all" {
            continue;
        }
        let text = if part.key.who == "all" { of_all(after, &part) } else { of_one(after, &part) };
        problems.extend(text.map(|text| at(part.line, codes::ALL_AND_INTERFACE, text)));
    }
}

fn part<'a>(after: &AfterBoot<'a>, name: &'a str) -> Option<Part<'a>> {
    let key = InterfaceKey::of(name)?;
    let line = after.line(name)?;
    let known = keys::catalogue().get(&key.general())?;
    Some(Part { line, key, number: integer(&line.value)?, known, combination: known.combination? })
}

fn forwards(after: &AfterBoot<'_>, family: &str) -> bool {
    let switch = if family == "ipv4" { "net.ipv4.ip_forward" } else { "net.ipv6.conf.all.forwarding" };
    after.number(switch) == Some(1)
}

/// A line for `all` that interfaces do not follow.
fn of_all(after: &AfterBoot<'_>, part: &Part<'_>) -> Option<String> {
    let Part { key, number, combination, .. } = part;
    if *combination == Combination::Copied {
        return None;
    }
    let forwarding = forwards(after, key.family);
    let asked = combination.asked(*number);
    let refuse = |(_, value): &(String, i64)| combination.effective(*number, *value, forwarding) != asked;
    let (who, value) = interfaces(after, part).into_iter().find(refuse)?;
    let sentence = combination.sentence();
    Some(format!(
        "{} = {number} is not enough: {who} has {value}. {sentence} Set {} and the interfaces as well.",
        key.with("all"),
        key.with("default")
    ))
}

/// The interfaces that `all` is put together with, and their values after a boot; `default` stands for those to come.
fn interfaces(after: &AfterBoot<'_>, part: &Part<'_>) -> Vec<(String, i64)> {
    let who = |name: &str| {
        let key = InterfaceKey::of(name).filter(|key| key.general() == part.known.name)?;
        (!["all", "lo"].contains(&key.who)).then(|| format!("`{}`", key.who))
    };
    let of_files = after.drifts().filter_map(|drift| {
        let who = who(&drift.key)?;
        Some((who, integer(&after.line(&drift.key)?.value)?))
    });
    let mut found: Vec<(String, i64)> = of_files.collect();
    if after.line(&part.key.with("default")).is_some() {
        return found;
    }
    match after.evidence.sysctls {
        Some(sysctls) => found.extend(sysctls.iter().filter_map(|(key, value)| {
            let who = who(key)?;
            Some((who, after.number(key).or_else(|| integer(value.trim_ascii()))?))
        })),
        None => {
            let number = |text: &Option<String>| text.as_deref().and_then(integer);
            let (typical, default) = (number(&part.known.typical), number(&part.known.default));
            let usual = typical.filter(|typical| Some(*typical) != default);
            let usual = usual.map(|usual| ("with the file of systemd, each interface".to_owned(), usual));
            found.extend(usual.or_else(|| Some(("`default`".to_owned(), default?))));
        }
    }
    found
}

/// A line for `default` or one interface that `all` overrides, or that comes too late.
fn of_one(after: &AfterBoot<'_>, part: &Part<'_>) -> Option<String> {
    let Part { key, number, combination, .. } = part;
    let (name, of_all) = (key.with(key.who), key.with("all"));
    let all = after.number(&of_all)?;
    let effective = combination.effective(all, *number, forwards(after, key.family));
    if combination.uses_all() && effective != combination.asked(*number) {
        return Some(format!("{name} = {number} has no effect while {of_all} is {all}. {}", combination.sentence()));
    }
    let is_alone = key.who == "default" && key.family == "ipv6" && !sets_others(after, part);
    is_alone.then(|| {
        format!(
            "{name} applies to interfaces that appear later. An interface that is there when the loader runs, such as lo or \
             a network card that the initrd uses, keeps its value."
        )
    })
}

/// Whether a file sets the key for `all` or an interface, too.
fn sets_others(after: &AfterBoot<'_>, part: &Part<'_>) -> bool {
    after.drifts().any(|drift| {
        InterfaceKey::of(&drift.key).is_some_and(|key| key.general() == part.known.name && key.who != "default")
            && after.line(&drift.key).is_some()
    })
}
