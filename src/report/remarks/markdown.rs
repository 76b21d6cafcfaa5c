//! The remarks for a ticket or a comment on a change: Markdown, as GitHub and GitLab read it.
//!
//! In: [`Remarks`]. Out: a heading, the numbers, a section per file. Must not: let a stranger's text become a mark.

use super::format::Format;
use super::record::{Remark, Remarks};
use super::words;
use crate::report::markdown::{inline, literal, verbatim};
use crate::text::one_line;

pub(super) const FORMAT: Format = Format {
    name: "markdown",
    help: "Markdown, for a ticket or a comment",
    write: |remarks, output| output.write_all(page(remarks).as_bytes()),
};

/// The heading of remarks that no file is to blame for.
const NO_FILE: &str = "Set at runtime only";

fn page(remarks: &Remarks) -> String {
    let on = remarks.host.as_ref().map(|host| format!(" on {}", host.hostname)).unwrap_or_default();
    let title = literal(&format!("sysctl-advisor {}{on} at {}", remarks.command, remarks.observed_at));
    let mut text = format!("# {title}\n\n**{}**\n\n", literal(&format!("{}.", words::numbers(remarks))));
    text.push_str(&format!("{}\n", literal(&format!("{}. {}.", remarks.about, words::extent(remarks)))));
    let mut file = None;
    for remark in &remarks.remarks {
        if file != Some(&remark.file) {
            let heading = remark.file.as_deref().map_or_else(|| NO_FILE.to_owned(), verbatim);
            text.push_str(&format!("\n## {heading}\n\n"));
            file = Some(&remark.file);
        }
        item(&mut text, remark);
    }
    let not_read = words::not_read(remarks);
    if !not_read.is_empty() {
        text.push_str("\n## Could not be read\n\n");
    }
    for (what, why) in not_read {
        text.push_str(&format!("- {}: {}\n", verbatim(what), literal(why)));
    }
    text
}

fn item(text: &mut String, remark: &Remark) {
    let Remark { severity, code, key, line, snippet, text: words, explain, references, .. } = remark;
    let severity = severity.name().to_uppercase();
    let line = if *line > 0 { format!(" line {line}:") } else { String::new() };
    let key = key.as_deref().map(|key| format!(" {}", verbatim(key))).unwrap_or_default();
    text.push_str(&format!("- **{severity}**{line}{key} ({})\n", literal(code)));
    if !snippet.trim().is_empty() {
        text.push_str(&format!("  - {}\n", verbatim(snippet)));
    }
    for sentence in [words.as_str(), &**explain].into_iter().filter(|text| !text.is_empty()) {
        text.push_str(&format!("  - {}\n", inline(&one_line(sentence))));
    }
    for reference in references {
        text.push_str(&format!("  - {}\n", verbatim(reference)));
    }
}
