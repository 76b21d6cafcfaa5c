//! The remarks as checks of monitoring systems: a plugin of Nagios and its relatives, a local check of Checkmk.
//!
//! In: [`Remarks`]. Out: the state, a line and numbers, then a line for each remark, as many as a server keeps.
//! Must not: be OK where nothing could be read; name a service or a metric after anything of the host.

use super::format::Format;
use super::record::{Remark, Remarks};
use super::words;
use crate::report::check::{Service, State, fill, numbers, plain, thresholds};

pub(super) const NAGIOS: Format = Format {
    name: "nagios",
    help: "A check of Nagios; its exit codes are 0, 1, 2, 3",
    write: |remarks, output| output.write_all(plugin(remarks).as_bytes()),
};

pub(super) const CHECKMK: Format = Format {
    name: "checkmk",
    help: "A local check of Checkmk",
    write: |remarks, output| output.write_all(service(remarks).as_bytes()),
};

/// The state of the check.
pub fn state_of(remarks: &Remarks) -> State {
    let [critical, warning, _] = words::counts(remarks);
    State::of_numbers(critical, warning, remarks.checked.iter().all(|checked| checked.unread.is_some()))
}

fn counted(remarks: &Remarks) -> [(&'static str, usize); 4] {
    let ([.., notice], [keys, files]) = (words::counts(remarks), words::extent_in_numbers(remarks));
    [("notice", notice), ("keys", keys), ("files", files), ("not read", words::not_read(remarks).len())]
}

fn plugin(remarks: &Remarks) -> String {
    let [critical, warning, _] = words::counts(remarks);
    let performance = thresholds(critical, warning) + &numbers(&counted(remarks));
    let (state, line) = (state_of(remarks).word(), in_a_line(remarks));
    let about = plain(&remarks.about, LINE);
    let mut text = format!("SYSCTL {state} - {line} | {performance}\n{about}\n");
    fill(&mut text, &listed(remarks), remarks.command);
    text
}

fn service(remarks: &Remarks) -> String {
    let [critical, warning, _] = words::counts(remarks);
    let all = [("critical", critical), ("warning", warning)].into_iter().chain(counted(remarks));
    let metrics: Vec<String> = all.map(|(name, number)| format!("{}={number}", name.replace(' ', "_"))).collect();
    let mut details = vec![plain(&remarks.about, LINE)];
    details.extend(listed(remarks));
    let (name, summary) = (format!("Sysctl advisor {}", remarks.command), in_a_line(remarks));
    Service { state: state_of(remarks), name: &name, metrics: &metrics, summary: &summary, details: &details }.line()
}

/// Characters of a line.
const LINE: usize = 400;
/// Characters of the worst title in the first line.
const TITLE: usize = 200;

/// The numbers, and the worst remark.
fn in_a_line(remarks: &Remarks) -> String {
    let nothing = if state_of(remarks) == State::Unknown { "nothing could be read, " } else { "" };
    let worst = worst_first(remarks).first().map(|worst| format!(": {}", plain(&worst.title(), TITLE)));
    format!("{nothing}{}{}", words::numbers(remarks), worst.unwrap_or_default())
}

fn listed(remarks: &Remarks) -> Vec<String> {
    let line = |remark: &&Remark| {
        let place = remark.place();
        let place = if place.is_empty() { String::new() } else { format!(" ({place})") };
        let severity = remark.severity.name().to_uppercase();
        plain(&format!("{severity} {}{place}: {}", remark.title(), remark.text), LINE)
    };
    worst_first(remarks).iter().map(line).collect()
}

fn worst_first(remarks: &Remarks) -> Vec<&Remark> {
    let mut all: Vec<&Remark> = remarks.remarks.iter().collect();
    all.sort_by_key(|remark| std::cmp::Reverse(remark.severity));
    all
}
