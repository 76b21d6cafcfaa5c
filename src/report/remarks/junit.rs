//! The remarks for continuous integration: JUnit's XML.
//!
//! In: [`Remarks`]. Out: a test case for each key and each file that was looked at. What could not be read is skipped.
//! Must not: let what could not be read pass; name a test after a line, which moves.

use std::collections::BTreeMap;

use super::format::Format;
use super::record::{Checked, Remark, Remarks, What};
use super::words;
use crate::report::junit::{CLASS, Suite};
use crate::text::Lines;

pub(super) const FORMAT: Format = Format {
    name: "junit",
    help: "JUnit XML, for continuous integration",
    write: |remarks, output| suite(remarks).write(output),
};

fn suite(remarks: &Remarks) -> Suite {
    let mut suite = Suite::default();
    let host = remarks.host.as_ref();
    suite.head(host.map_or("", |host| host.hostname.as_str()), &remarks.observed_at, 0.0);
    suite.property("version", env!("CARGO_PKG_VERSION"));
    suite.property("about", &remarks.about);
    if let Some(host) = host {
        suite.property("kernel", &host.kernel);
    }
    // What a remark is about is a test, whether or not it was on the list.
    let mut tests: BTreeMap<What, (Vec<&Remark>, Option<&str>)> = BTreeMap::new();
    for Checked { what, unread } in &remarks.checked {
        tests.entry(what.clone()).or_default().1 = unread.as_deref();
    }
    for remark in &remarks.remarks {
        let what = remark.what().unwrap_or_else(|| What::File(String::new()));
        tests.entry(what).or_default().0.push(remark);
    }
    for gap in &remarks.gaps {
        suite.skip(&format!("{CLASS}.not-read"), &gap.what, &format!("could not be read: {}", gap.why));
    }
    if tests.is_empty() {
        suite.error(&format!("{CLASS}.{}", remarks.command), "files", "Nothing was examined.");
    }
    for (what, (found, unread)) in &tests {
        let class =
            format!("{CLASS}.{}.{}", remarks.command, if matches!(what, What::Key(_)) { "key" } else { "file" });
        case(&mut suite, &class, words::name(what), found, *unread);
    }
    suite
}

fn case(suite: &mut Suite, class: &str, name: &str, found: &[&Remark], unread: Option<&str>) {
    let Some(worst) = found.iter().max_by_key(|remark| remark.severity) else {
        return match unread {
            Some(why) => suite.skip(class, name, &format!("could not be read: {why}")),
            None => suite.pass(class, name, ""),
        };
    };
    let message = match found.len() {
        1 => worst.title(),
        number => format!("{} and {} more", worst.title(), number - 1),
    };
    let mut lines = Lines::default();
    found.iter().for_each(|remark| add(remark, &mut lines));
    if let Some(why) = unread {
        lines.add(&["The value could not be read: ", why]);
    }
    suite.fail(class, name, worst.severity.name(), &message, &lines);
}

fn add(remark: &Remark, lines: &mut Lines) {
    let Remark { severity, code, snippet, text, explain, references, .. } = remark;
    let place = remark.place();
    let separator = if place.is_empty() { "" } else { ": " };
    lines.add(&[&place, separator, &severity.name().to_uppercase(), " ", code]);
    let shown = if snippet.is_empty() { String::new() } else { format!("Line: {snippet}") };
    for line in [text, &*shown, explain, &*words::more(remark)].into_iter().filter(|line| !line.is_empty()) {
        lines.add(&[line]);
    }
    for reference in references {
        lines.add(&["Source: ", reference]);
    }
}
