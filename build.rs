//! Compiles what is in `rules/` into the program: the rules as they are, with the place where their tests begin, and their conditions
//! as trees that are ready to be evaluated; the catalogue of keys and the references as JSON, which is read several times faster
//! than TOML at every start.

#![expect(
    clippy::disallowed_methods,
    reason = "the build script's own world: Cargo's variables, the rules' folder, the generated files"
)]

#[path = "build/conditions.rs"]
mod conditions;
#[path = "src/rules/expr"]
mod expr {
    #![expect(dead_code, unreachable_pub, reason = "a part of the language that the program uses more of")]

    pub(crate) mod code;
    mod lexer;
    mod parser;
    mod scope;

    /// The code of a text, and its names in the order of their first use.
    pub(crate) fn compiled(source: &str) -> Result<(code::Code, Vec<code::Used>), String> {
        let tree = parser::parse(source).map_err(|error| error.message)?;
        code::code(tree).ok_or_else(|| "not understood".to_owned())
    }
}
#[path = "src/metrics"]
mod metrics {
    #![expect(dead_code, unreachable_pub, reason = "a part of the metrics that the program uses more of")]

    pub(crate) mod value;
}

use std::collections::{BTreeMap, BTreeSet};
use std::error::Error;
use std::fmt::Write as _;
use std::path::Path;
use std::{env, fs, io};

use conditions::Statics;
use metrics::value::Value;

/// Folders under `rules/` that hold no rules.
const NOT_RULES: [&str; 2] = ["keys", "reference"];

fn main() -> Result<(), Box<dyn Error>> {
    println!("cargo::rerun-if-changed=rules");
    let rules = Path::new(&env::var("CARGO_MANIFEST_DIR")?).join("rules");
    let out = env::var("OUT_DIR")?;
    let out = Path::new(&out);
    let (mut table, mut statics) = (String::new(), Statics::default());
    let mut keys = Keys::new();
    for area in names(&rules)? {
        let folder = rules.join(&area);
        if !folder.is_dir() {
            continue;
        }
        println!("cargo::rerun-if-changed=rules/{area}");
        for file in names(&folder)? {
            let Some(id) = file.strip_suffix(".toml") else { continue };
            let path = folder.join(&file);
            let text = fs::read_to_string(&path)?;
            let written = if area == "keys" {
                add_keys(&mut keys, id, &text)
            } else if NOT_RULES.contains(&area.as_str()) {
                reference(&text, &area, id, out)
            } else {
                shipped(&text, &mut statics).map(|fields| {
                    let _ = writeln!(
                        table,
                        "Shipped {{ area: {area:?}, id: {id:?}, text: include_str!({path:?}), {fields} }},"
                    );
                })
            };
            written.map_err(|error| format!("{}: {error}", path.display()))?;
        }
    }
    scenarios(out)?;
    fs::write(out.join("ranges.rs"), format!("&{:?}", ranges(&keys)?))?;
    fs::write(
        out.join("keys.rs"),
        format!("&{:?}", keys.iter().map(|(name, (area, json))| (name, area, json)).collect::<Vec<_>>()),
    )?;
    Ok(fs::write(out.join("shipped_rules.rs"), format!("{{\n{}&[\n{table}]\n}}", statics.text))?)
}

/// The table of the lab's scenarios: area, name, text.
fn scenarios(out: &Path) -> Result<(), Box<dyn Error>> {
    println!("cargo::rerun-if-changed=lab");
    let lab = Path::new(&env::var("CARGO_MANIFEST_DIR")?).join("lab");
    let mut table = String::from("&[\n");
    for area in names(&lab)? {
        println!("cargo::rerun-if-changed=lab/{area}");
        for file in names(&lab.join(&area))? {
            let Some(name) = file.strip_suffix(".toml") else { continue };
            let path = lab.join(&area).join(&file);
            writeln!(table, "({area:?}, {name:?}, include_str!({path:?})),")?;
        }
    }
    table.push(']');
    Ok(fs::write(out.join("shipped_scenarios.rs"), table)?)
}

fn names(folder: &Path) -> io::Result<Vec<String>> {
    let mut names: Vec<String> =
        fs::read_dir(folder)?.flatten().map(|entry| entry.file_name().to_string_lossy().into_owned()).collect();
    names.sort();
    Ok(names)
}

/// By name: area and content, as JSON.
type Keys = BTreeMap<String, (String, String)>;

/// Adds the keys of a file. `net.{ipv4,ipv6}.neigh.*.locktime` is a key of each of the two.
fn add_keys(keys: &mut Keys, area: &str, text: &str) -> Result<(), Box<dyn Error>> {
    const BOTH: &str = "{ipv4,ipv6}";
    for (name, key) in toml::from_str::<toml::Table>(text)? {
        let families: &[&str] = if name.contains(BOTH) { &["ipv4", "ipv6"] } else { &[""] };
        for family in families {
            let name = name.replacen(BOTH, family, 1);
            let content = (area.to_owned(), serde_json::to_string(&key)?);
            if let Some((other, _)) = keys.insert(name.clone(), content) {
                return Err(format!("{name} is also in {other}.toml").into());
            }
        }
    }
    Ok(())
}

/// A name, the lowest and the highest number, whether each network namespace has the key for itself.
type Range = (String, i64, i64, bool);

/// Of the keys with a usual range, name, lowest and highest number. A key of interfaces is that of `all` and that of `default`.
fn ranges(keys: &Keys) -> serde_json::Result<Vec<Range>> {
    let mut ranges = Vec::new();
    for (name, (_, json)) in keys {
        let key: serde_json::Value = serde_json::from_str(json)?;
        let [Some(low), Some(high)] = [0, 1].map(|end| key["meaningful"][end].as_i64()) else { continue };
        let of_namespace = key["scope"].as_str() == Some("namespace");
        let names = if name.contains(".conf.*.") { vec!["all", "default"] } else { vec!["*"] };
        ranges.extend(names.into_iter().map(|who| (name.replacen('*', who, 1), low, high, of_namespace)));
    }
    Ok(ranges)
}

/// Writes `AREA-ID.json`; the names of the known counters get a file of their own.
fn reference(text: &str, area: &str, id: &str, out: &Path) -> Result<(), Box<dyn Error>> {
    let mut table: toml::Table = toml::from_str(text)?;
    if let Some(known) = table.remove("known") {
        fs::write(out.join(format!("{area}-{id}-known.json")), serde_json::to_string(&known)?)?;
    }
    Ok(fs::write(out.join(format!("{area}-{id}.json")), serde_json::to_string(&table)?)?)
}

/// The fields of a rule that the build works out: where its tests begin, its conditions and parameters, and the names that an
/// audit prepares for.
fn shipped(text: &str, statics: &mut Statics) -> Result<String, Box<dyn Error>> {
    let tests = tests_begin(text)?;
    let text = text.get(..tests).unwrap_or(text);
    let rule: toml::Table = toml::from_str(text)?;
    let is_hardened = rule.get("profile").and_then(toml::Value::as_str) == Some("hardened");
    let for_each = rule.get("for_each").and_then(toml::Value::as_str).unwrap_or("namespace");
    let for_each: String = for_each.split('_').map(|word| word[..1].to_uppercase() + &word[1..]).collect();
    let head = format!("Head {{ for_each: Subject::{for_each}, {} }}", head(&rule, statics)?);
    let prepared: Vec<String> = prepared_names(text).into_iter().collect();
    let names: Vec<String> = names_of(&rule)?.into_iter().collect();
    let profile = if is_hardened { "Hardened" } else { "Standard" };
    Ok(format!("profile: Profile::{profile}, tests: {tests}, head: {head}, names: &{names:?}, prepared: &{prepared:?}"))
}

/// The conditions and the parameters.
fn head(rule: &toml::Table, statics: &mut Statics) -> Result<String, Box<dyn Error>> {
    let mut when = match rule.get("when").and_then(toml::Value::as_str) {
        Some(when) => Some(statics.condition(when)?),
        None => None,
    };
    let mut levels = Vec::new();
    for level in rule.get("level").and_then(toml::Value::as_array).into_iter().flatten() {
        levels
            .push(statics.condition(level.get("when").and_then(toml::Value::as_str).ok_or("a level without `when`")?)?);
    }
    if levels.is_empty() {
        levels.extend(when.take());
    }
    let mut params = Vec::new();
    for (name, param) in rule.get("params").and_then(toml::Value::as_table).into_iter().flatten() {
        let value = match param.get("value").ok_or("a parameter without `value`")? {
            toml::Value::Boolean(value) => Value::Bool(*value),
            toml::Value::Integer(value) => Value::Int(*value),
            toml::Value::Float(value) => Value::Double(*value),
            other => Value::Text(other.to_string()),
        };
        params.push(format!("({name:?}, {})", conditions::constant(&value)?));
    }
    let when = when.map_or_else(|| "None".to_owned(), |when| format!("Some({when})"));
    Ok(format!(
        "when: {when}, levels: &{}, params: &{}",
        statics.list("Expr", levels),
        statics.list("(&str, Value)", params)
    ))
}

/// All names in the expressions and texts of a rule.
fn names_of(rule: &toml::Table) -> Result<BTreeSet<String>, Box<dyn Error>> {
    let text = |value: &toml::Value, field: &str| value.get(field).and_then(toml::Value::as_str).map(str::to_owned);
    let parts = |list: &str| rule.get(list).and_then(toml::Value::as_array).cloned().unwrap_or_default();
    let all = toml::Value::Table(rule.clone());
    let mut expressions: Vec<Option<String>> = vec![text(&all, "when")];
    let mut texts = vec![text(&all, "title")];
    expressions.extend(rule.get("guard").map(|guard| text(guard, "worse_if")));
    let evidence = rule.get("evidence").and_then(toml::Value::as_table);
    expressions.extend(evidence.into_iter().flatten().map(|(_, value)| value.as_str().map(str::to_owned)));
    for part in ["level", "recommend", "advise", "look"].into_iter().flat_map(parts) {
        expressions.extend([text(&part, "when"), text(&part, "value")]);
        texts.extend([text(&part, "title"), text(&part, "text"), text(&part, "run")]);
    }
    let in_texts: Vec<String> = texts.iter().flatten().flat_map(|text| conditions::in_braces(text)).collect();
    let mut names = BTreeSet::new();
    for expression in expressions.into_iter().flatten().chain(in_texts) {
        let (_, used) = expr::compiled(&expression).map_err(|why| format!("`{expression}`: {why}"))?;
        names.extend(used.into_iter().map(|used| used.name.into_owned()));
    }
    Ok(names)
}

/// What the names begin with that an audit reads something for, beside defaults.
const PREPARED: [&str; 5] = ["delta.", "rate.", "total.", "udp.", "net."];

/// The names in a text that begin with one of these, or with `default(`.
fn prepared_names(text: &str) -> BTreeSet<String> {
    let is_name = |c: char| c.is_ascii_alphanumeric() || "_.".contains(c);
    // `net.bridge.bridge-nf-call-iptables`: only keys have a `-` in them.
    let is_of = |start: &str, c: char| is_name(c) || c == '-' && start == "net.";
    // `net.ipv4.conf.*.rp_filter`; any other `*` is a sign of arithmetic.
    let is_any = |text: &str, place: usize| text[..place].ends_with('.') && text[place..].starts_with("*.");
    let mut names = BTreeSet::new();
    for start in PREPARED {
        for (place, _) in text.match_indices(start) {
            if text[..place].ends_with(is_name) {
                continue;
            }
            let rest = &text[place..];
            let end = rest.char_indices().find(|(at, c)| !is_of(start, *c) && !is_any(rest, *at));
            let name = rest[..end.map_or(rest.len(), |(at, _)| at)].trim_end_matches('.');
            names.extend(name.contains('.').then(|| name.to_owned()));
        }
    }
    for (place, start) in text.match_indices("default(") {
        // In a string of one line the quote is written with a backslash.
        let rest = text[place + start.len()..].trim_start_matches('\\');
        if let Some((key, _)) = rest.strip_prefix('"').and_then(|rest| rest.split_once(['\\', '"'])) {
            names.insert(format!("default(\"{key}\")"));
        }
    }
    names
}

/// Where the tests of a rule begin; nothing but tests may follow.
fn tests_begin(text: &str) -> Result<usize, Box<dyn Error>> {
    let start = text.find("\n[[test]]").ok_or("a shipped rule must have a [[test]]")? + 1;
    match text[start..].lines().find(|line| line.starts_with('[') && !line.starts_with("[[test]]")) {
        Some(line) => Err(format!("in a shipped rule the tests are last, but {line} follows them").into()),
        None => Ok(start),
    }
}
