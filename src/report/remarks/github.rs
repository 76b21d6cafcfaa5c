//! The remarks for a workflow of GitHub: an annotation of the line that each is about.
//!
//! In: [`Remarks`]. Out: one workflow command per line. The runner shows 10 annotations of each kind per step, so the worst
//! comes first. Must not: write a command itself; `workflow` does.

use super::format::Format;
use super::record::{Remark, Remarks};
use super::words;
use crate::report::workflow::{Commands, kind};
use crate::text::Lines;

pub(super) const FORMAT: Format = Format {
    name: "github",
    help: "Workflow commands of GitHub Actions, which become annotations",
    write: |remarks, output| output.write_all(commands(remarks).as_bytes()),
};

fn commands(remarks: &Remarks) -> String {
    let mut commands = Commands::default();
    let mut worst_first: Vec<&Remark> = remarks.remarks.iter().collect();
    worst_first.sort_by_key(|remark| std::cmp::Reverse(remark.severity));
    for remark in worst_first {
        annotate(&mut commands, remark);
    }
    for (what, why) in words::not_read(remarks) {
        commands.debug(&format!("{what} could not be read: {why}"));
    }
    let title = format!("sysctl-advisor {}", remarks.command);
    let mut lines = Lines::of(&[&words::numbers(remarks), "; ", &words::extent(remarks), "."]);
    lines.add(&[&remarks.about, "."]);
    commands.command("notice", &[("title", &title)], &lines);
    commands.0
}

fn annotate(commands: &mut Commands, remark: &Remark) {
    let Remark { file, line, columns, text, explain, .. } = remark;
    let mut place: Vec<(&str, String)> = Vec::new();
    if let Some(file) = file {
        // GitHub shows an annotation of a file as a whole at its first line.
        place.extend([("file", file.clone()), ("line", line.max(&1).to_string())]);
    }
    if let Some(columns) = columns {
        // The runner's last column is part of the place.
        let last = columns.end.saturating_sub(1).max(columns.start);
        place.extend([("col", columns.start.to_string()), ("endColumn", last.to_string())]);
    }
    place.push(("title", remark.title()));
    let properties: Vec<(&str, &str)> = place.iter().map(|(name, value)| (*name, value.as_str())).collect();
    let mut lines = Lines::default();
    for line in [&**text, explain, &words::more(remark)].into_iter().filter(|line| !line.is_empty()) {
        lines.add(&[line]);
    }
    commands.command(kind(remark.severity), &properties, &lines);
}
