//! Lines for `all`, for `default` and for one interface that do not do what they seem to do, because the kernel puts the
//! values of `all` and of the interface together.
//!
//! In: [`AfterBoot`]. Out: [`Problem`]s. Must not: know how a key is put together; `keys::combination` does.

use super::after::{AfterBoot, at};
use crate::drift::model::{Assignment, Problem, codes};
use crate::keys::number::integer;
use crate::keys::{Combination, InterfaceKey, combination, of_interface};

/// One line with the parts of its key.
struct Part<'a> {
    line: &'a Assignment,
    key: &'a str,
    family: &'a str,
    who: &'a str,
    name: &'a str,
    number: i64,
    known: &'static InterfaceKey,
}

pub(super) fn problems(after: &AfterBoot<'_>, problems: &mut Vec<Problem>) {
    for part in after.drifts().filter_map(|drift| part(after, &drift.key)) {
        // A pattern sets `all` and the interfaces alike, so one of its keys speaks for all.
        let is_general = part.line.from_glob.is_some() && part.who != "all";
        if let Some(cost) = part.known.costs.get(&part.line.value).filter(|_| !is_general) {
            let text = format!("{} = {} has a cost. {cost}", part.key, part.line.value);
            problems.push(at(part.line, codes::COSTLY_VALUE, text));
        }
        let text = if part.who == "all" { of_all(after, &part) } else { of_one(after, &part) };
        problems.extend(text.filter(|_| !is_general).map(|text| at(part.line, codes::ALL_AND_INTERFACE, text)));
    }
}

fn part<'a>(after: &AfterBoot<'a>, key: &'a str) -> Option<Part<'a>> {
    let (family, who, name) = of_interface(key)?;
    let line = after.line(key)?;
    Some(Part { line, key, family, who, name, number: integer(&line.value)?, known: combination(family, name)? })
}

fn forwards(after: &AfterBoot<'_>, family: &str) -> bool {
    let switch = if family == "ipv4" { "net.ipv4.ip_forward" } else { "net.ipv6.conf.all.forwarding" };
    after.number(switch) == Some(1)
}

/// A line for `all` that interfaces do not follow.
fn of_all(after: &AfterBoot<'_>, part: &Part<'_>) -> Option<String> {
    let combination = part.known.combination;
    if combination == Combination::Copied {
        return None;
    }
    let forwarding = forwards(after, part.family);
    let asked = combination.asked(part.number);
    let refuse = |(_, value): &(String, i64)| combination.effective(part.number, *value, forwarding) != asked;
    let (who, value) = interfaces(after, part).into_iter().find(refuse)?;
    let (key, number) = (part.key, part.number);
    let sentence = combination.sentence();
    Some(format!(
        "{key} = {number} is not enough: {who} has {value}. {sentence} Set net.{}.conf.default.{} and the interfaces as well.",
        part.family, part.name
    ))
}

/// The interfaces that `all` is put together with, and their values after a boot; `default` stands for those to come.
fn interfaces(after: &AfterBoot<'_>, part: &Part<'_>) -> Vec<(String, i64)> {
    let key_of = |who: &str| format!("net.{}.conf.{who}.{}", part.family, part.name);
    let of_files = after.drifts().filter_map(|drift| {
        let (family, who, name) = of_interface(&drift.key)?;
        let is_other = family == part.family && name == part.name && !["all", "lo"].contains(&who);
        let line = after.line(&drift.key).filter(|_| is_other)?;
        Some((format!("`{who}`"), integer(&line.value)?))
    });
    let mut found: Vec<(String, i64)> = of_files.collect();
    if after.line(&key_of("default")).is_some() {
        return found;
    }
    match after.evidence.sysctls {
        Some(sysctls) => found.extend(sysctls.iter().filter_map(|(key, value)| {
            let (family, who, name) = of_interface(key)?;
            let is_other = family == part.family && name == part.name && !["all", "lo"].contains(&who);
            let own = after.number(key).or_else(|| integer(value.trim_ascii()))?;
            is_other.then(|| (format!("`{who}`"), own))
        })),
        None => match part.known.usual {
            Some(usual) => found.push(("with the file of systemd, each interface".to_owned(), usual)),
            None => found.push(("`default`".to_owned(), part.known.default)),
        },
    }
    found
}

/// A line for `default` or one interface that `all` overrides, or that comes too late.
fn of_one(after: &AfterBoot<'_>, part: &Part<'_>) -> Option<String> {
    let Part { key, family, who, name, number, known, .. } = part;
    let combination = known.combination;
    let of_all = format!("net.{family}.conf.all.{name}");
    let all = after.number(&of_all).unwrap_or(known.all);
    let effective = combination.effective(all, *number, forwards(after, family));
    if effective != combination.asked(*number) {
        return Some(format!("{key} = {number} has no effect while {of_all} is {all}. {}", combination.sentence()));
    }
    let is_alone = *who == "default" && *family == "ipv6" && !sets_others(after, part);
    is_alone.then(|| {
        format!(
            "{key} applies to interfaces that appear later. An interface that is there when the loader runs, such as lo or \
             a network card that the initrd uses, keeps its value."
        )
    })
}

/// Whether a file sets the key for `all` or an interface, too.
fn sets_others(after: &AfterBoot<'_>, part: &Part<'_>) -> bool {
    after.drifts().any(|drift| {
        of_interface(&drift.key)
            .is_some_and(|(family, who, name)| family == part.family && name == part.name && who != "default")
            && after.line(&drift.key).is_some()
    })
}
