//! A scenario on a terminal or in a pipe, event by event.
//!
//! In: events in their order. Out: the text that is to be printed for each; on a terminal the picture of the states is drawn
//! over the one before. Must not: keep more than that picture.

use std::collections::BTreeMap;

use crate::lab::event::{Change, Effect, Event, Found, Kind, Measured, Outcome, SocketLine, When};
use crate::model::Severity;
use crate::report::page::{Cell, Page};
use crate::report::theme::Theme;
use crate::units;

/// Columns of the longest bar.
const BAR: u64 = 40;
/// Sockets that are shown one by one; more would push the story off the screen.
const SOCKETS: usize = 6;
/// The states in the order in which a connection goes through them.
const STATES: [&str; 11] = [
    "LISTEN",
    "SYN_SENT",
    "SYN_RECV",
    "ESTABLISHED",
    "FIN_WAIT1",
    "FIN_WAIT2",
    "CLOSING",
    "TIME_WAIT",
    "CLOSE_WAIT",
    "LAST_ACK",
    "CLOSE",
];

/// The text of a scenario so far.
#[derive(Debug)]
pub struct Story<'a> {
    theme: &'a Theme,
    /// Whether the picture can be drawn over the one before.
    live: bool,
    /// The picture that is still to be printed, in a pipe; and how many lines of the screen the last one took.
    picture: Option<BTreeMap<String, u64>>,
    drawn: usize,
    step: usize,
}

impl<'a> Story<'a> {
    pub const fn new(theme: &'a Theme, live: bool) -> Self {
        Self { theme, live, picture: None, drawn: 0, step: 0 }
    }

    /// The text for what happened.
    pub fn add(&mut self, event: &Event) -> String {
        if let Event::States { counts } = event {
            return self.states(counts);
        }
        let mut text = self.last_picture();
        self.drawn = 0;
        let begins_a_part =
            matches!(event, Event::Looked { .. } | Event::Tries { .. } | Event::Remedies | Event::End(_));
        if begins_a_part {
            text.push('\n');
        }
        let mut page = Page::new(self.theme);
        self.write(event, &mut page);
        text.push_str(&page.finish());
        text
    }

    /// Only the last of several pictures in a row is worth a place in a pipe.
    fn states(&mut self, counts: &BTreeMap<String, u64>) -> String {
        if !self.live {
            self.picture = Some(counts.clone());
            return String::new();
        }
        let picture = self.bars(counts);
        let up = if self.drawn > 0 { format!("\x1b[{}A\x1b[J", self.drawn) } else { String::new() };
        self.drawn = picture.lines().count();
        format!("{up}{picture}")
    }

    fn last_picture(&mut self) -> String {
        self.picture.take().map(|counts| self.bars(&counts)).unwrap_or_default()
    }

    fn bars(&self, counts: &BTreeMap<String, u64>) -> String {
        let most = counts.values().copied().max().unwrap_or(0).max(1);
        let line = |state: &&str| {
            let count = counts.get(*state).copied().filter(|count| *count > 0)?;
            // As long as there is room, a block is a socket.
            let length = if most <= BAR { count } else { (count * BAR).div_ceil(most) };
            let length = usize::try_from(length).unwrap_or(0);
            let bar = self.theme.paint(self.theme.key, &"█".repeat(length));
            Some(format!("       {state:<11} {bar} {}\n", units::count_u64(count)))
        };
        STATES.iter().filter_map(line).collect()
    }

    fn write(&mut self, event: &Event, page: &mut Page<'_>) {
        let theme = self.theme;
        match event {
            Event::States { .. } | Event::Stage { .. } => {}
            Event::Scene { name, title, story, kind } => {
                page.paragraph(0, theme.heading, &format!("{name}: {title}"));
                page.blank();
                if *kind == Kind::LookAlike {
                    page.paragraph(2, theme.ok, "A healthy host that looks like a fault: no rule may say anything.");
                }
                page.paragraph(2, theme.dim, story);
                page.blank();
            }
            Event::Did { say, picture, act } => {
                self.did(say.as_deref(), act.as_deref(), page);
                page.preformatted(7, picture.as_deref().unwrap_or_default().trim_matches('\n'));
            }
            Event::Sockets { lines } => sockets(lines, page),
            Event::Looked { when, findings } => looked(*when, findings, page),
            Event::Tries { advice } => {
                page.paragraph(0, theme.heading, &format!("People say: {advice}."));
            }
            Event::Tried { effect, why } => {
                let (style, what) = match effect {
                    Effect::None => (theme.warning, "It does not help."),
                    Effect::Harm => (theme.critical, "It does harm."),
                    Effect::Hides => (theme.warning, "It hides the fault and repairs nothing."),
                    Effect::Helps => (theme.critical, "It did end the fault."),
                };
                page.row(2, &[Cell::new("", 3), Cell::new(&format!("{what} {why}"), page.width() - 7).painted(style)]);
            }
            Event::Remedies => page.paragraph(0, theme.heading, "The remedy"),
            Event::Changed(Change { key, from, to }) => {
                let change = format!("{key}  {from} -> {to}");
                page.row(2, &[Cell::new("set", 3), Cell::new(&change, page.width() - 7).painted(theme.key)]);
            }
            Event::Lacks { text } => page.paragraph(2, theme.warning, text),
            Event::End(outcome) => end(outcome, page),
        }
    }

    fn did(&mut self, say: Option<&str>, act: Option<&str>, page: &mut Page<'_>) {
        if let Some(say) = say {
            self.step += 1;
            page.row(2, &[Cell::new(&self.step.to_string(), 3).right(), Cell::new(say.trim(), page.width() - 7)]);
        }
        if let Some(act) = act {
            page.row(2, &[Cell::new("", 3), Cell::new(act, page.width() - 7).painted(self.theme.key)]);
        }
    }
}

fn sockets(lines: &[SocketLine], page: &mut Page<'_>) {
    for line in lines.iter().take(SOCKETS) {
        let ends = format!("{} -> {}", line.local, line.peer);
        let owner = if line.owned { "" } else { "no process has it" };
        let rest: Vec<&str> = [line.timer.as_str(), owner].into_iter().filter(|text| !text.is_empty()).collect();
        let rest = if rest.is_empty() { "no timer".to_owned() } else { rest.join("; ") };
        let state = Cell::new(&line.state, 11).painted(page.theme.key);
        page.row(7, &[state, Cell::new(&ends, 33).hanging(2), Cell::new(&rest, 25)]);
    }
    if lines.len() > SOCKETS {
        page.paragraph(7, page.theme.dim, &format!("and {} more", lines.len() - SOCKETS));
    }
}

fn looked(when: When, findings: &[Found], page: &mut Page<'_>) {
    let theme = page.theme;
    let title = match when {
        When::Fault => "The audit finds",
        When::Wrong => "The audit finds now",
        When::Remedy => "The audit after the remedy finds",
    };
    let shown: Vec<&Found> = findings.iter().filter(|found| found.shown).collect();
    // In a look-alike every finding is of interest, as there should be none.
    let shown = if shown.is_empty() { findings.iter().collect() } else { shown };
    if shown.is_empty() {
        page.paragraph(0, theme.ok, &format!("{title} nothing."));
        return;
    }
    page.paragraph(0, theme.heading, &format!("{title}:"));
    for found in &shown {
        let style = Severity::named(&found.severity).map_or(theme.notice, |severity| theme.severity(severity));
        let text = format!("{} ({})", found.title, found.rule);
        page.row(2, &[Cell::new(&found.severity, 8).painted(style), Cell::new(&text, page.width() - 12)]);
    }
    let others = findings.len() - shown.len();
    if others > 0 {
        let others = units::quantity_of(others, "other findings");
        page.paragraph(12, theme.dim, &format!("and {others} that go with it"));
    }
}

fn end(outcome: &Outcome, page: &mut Page<'_>) {
    let theme = page.theme;
    let numbers: Vec<&Measured> = outcome.measured.iter().filter(|it| it.before.is_some()).collect();
    if !numbers.is_empty() && outcome.not_here.is_none() {
        page.paragraph(0, theme.heading, "Measured");
        if outcome.remedied {
            let [before, after] = ["with the fault", "after the remedy"].map(|text| Cell::new(text, 16).right());
            page.row(2, &[Cell::new("", 40), before.painted(theme.dim), after.painted(theme.dim)]);
        }
        for Measured { what, before, after } in numbers {
            let [before, after] = [before, after].map(|it| Cell::new(it.as_deref().unwrap_or_default(), 16).right());
            page.row(2, &[Cell::new(what, 40).hanging(2), before, after]);
        }
    }
    page.blank();
    let (style, text) = verdict(outcome, theme);
    page.paragraph(0, style, &text);
}

fn verdict(outcome: &Outcome, theme: &Theme) -> (anstyle::Style, String) {
    let Outcome { missing, unexpected, otherwise, remaining, .. } = outcome;
    if let Some(why) = &outcome.not_here {
        return (theme.warning, format!("This cannot be shown here: {why}."));
    }
    let mut wrong = Vec::new();
    wrong.extend(outcome.broken.as_ref().map(|why| format!("a step failed: {why}")));
    for (rules, what) in
        [(missing, "not found"), (unexpected, "found, and not expected"), (remaining, "found after the remedy")]
    {
        if !rules.is_empty() {
            wrong.push(format!("{what}: {}", rules.join(", ")));
        }
    }
    wrong.extend(otherwise.iter().cloned());
    if !wrong.is_empty() {
        return (theme.critical, format!("Not as expected: {}.", wrong.join("; ")));
    }
    let text = match (outcome.kind, outcome.remedied) {
        (Kind::LookAlike, _) => "As expected: nothing is wrong, and no rule says that anything is.",
        (Kind::Lesson, _) => "Each step went as it says.",
        (Kind::Fault, true) => "As expected: the fault was found, and the remedy ended it.",
        (Kind::Fault, false) => "As expected: the fault was found.",
    };
    (theme.ok, text.to_owned())
}

/// How to enter a stage that is kept open, and how to end it. `user`: it has a user namespace of its own.
pub fn kept(pid: u32, user: bool) -> String {
    let user = if user { " --user --preserve-credentials" } else { "" };
    let enter = format!("nsenter --target {pid}{user} --net --mount --pid");
    format!(
        "The stage stays open. Look at it from another terminal, as the same user:\n  {enter} ss -tan\n  {enter} nstat\n\
         Press Enter here to end it."
    )
}

#[cfg(test)]
mod tests {
    use super::*;

    fn states(counts: &[(&str, u64)]) -> Event {
        Event::States { counts: counts.iter().map(|(state, count)| ((*state).to_owned(), *count)).collect() }
    }

    fn says(text: &str) -> Event {
        Event::Did { say: Some(text.to_owned()), picture: None, act: None }
    }

    #[test]
    fn on_a_terminal_a_picture_is_drawn_over_the_one_before() {
        let theme = Theme::plain();
        let mut story = Story::new(&theme, true);
        let first = story.add(&states(&[("LISTEN", 1), ("TIME_WAIT", 2)]));
        assert_eq!(first, "       LISTEN      █ 1\n       TIME_WAIT   ██ 2\n");
        let second = story.add(&states(&[("TIME_WAIT", 3)]));
        assert_eq!(second, "\x1b[2A\x1b[J       TIME_WAIT   ███ 3\n", "two lines up");
        story.add(&says("Something happens."));
        let third = story.add(&states(&[("TIME_WAIT", 4)]));
        assert!(!third.contains('\x1b'), "what was said in between stays: {third:?}");
    }

    #[test]
    fn in_a_pipe_only_the_last_of_several_pictures_is_printed_and_no_escape_sequence() {
        let theme = Theme::plain();
        let mut story = Story::new(&theme, false);
        let mut text = String::new();
        for event in [states(&[("LISTEN", 1)]), states(&[("LISTEN", 1), ("ESTABLISHED", 2)]), says("A client came.")] {
            text.push_str(&story.add(&event));
        }
        assert_eq!(text, "       LISTEN      █ 1\n       ESTABLISHED ██ 2\n    1  A client came.\n");
    }

    #[test]
    fn a_bar_is_a_block_for_each_socket_until_there_is_no_more_room() {
        let theme = Theme::plain();
        let bars = |counts: &[(&str, u64)]| Story::new(&theme, true).add(&states(counts));
        assert_eq!(bars(&[("LISTEN", 40)]).matches('█').count(), 40);
        let many = bars(&[("LISTEN", 1), ("TIME_WAIT", 28_000)]);
        assert_eq!(many.matches('█').count(), 1 + 40, "one is never nothing: {many}");
        assert!(many.contains("28,000"));
    }

    #[test]
    fn the_verdict_says_what_is_not_as_it_should_be() {
        let outcome = |missing: &[&str], not_here: Option<&str>| Outcome {
            missing: missing.iter().map(|rule| (*rule).to_owned()).collect(),
            not_here: not_here.map(str::to_owned),
            ..Outcome::default()
        };
        let theme = Theme::plain();
        let said = |outcome: &Outcome| verdict(outcome, &theme).1;
        assert_eq!(said(&outcome(&["a", "b"], None)), "Not as expected: not found: a, b.");
        assert_eq!(said(&outcome(&["a"], Some("no nft"))), "This cannot be shown here: no nft.");
        assert_eq!(said(&outcome(&[], None)), "As expected: the fault was found.");
    }
}
