//! `watch`: what the host does now, on the terminal.

mod terminal;

use std::num::NonZeroU32;
use std::path::PathBuf;
use std::process::ExitCode;
use std::rc::Rc;
use std::time::{Duration, Instant};

use anyhow::anyhow;
use clap::Args;
use nix::sys::signal::Signal;

use self::terminal::{Framed, NoScreen};
use super::args::{RuleArgs, StateArgs};
use super::charset;
use super::exit::{Failure, Outcome};
use super::held::Woken;
use super::output::Terminal;
use super::session as typed;
use crate::config::Config;
use crate::host::netns::Which;
use crate::report::theme::Theme;
use crate::session::Criteria;
use crate::session::follow::Follower;
use crate::snapshot::FirstReading;
use crate::snapshot::Snapshot;
use crate::units::{self, parse_duration};
use crate::watch::model::Model;
use crate::watch::recording::{Recorder, Recording, RecordingError};
use crate::watch::replay::Player;
use crate::watch::screen::{Effect, Screen};
use crate::watch::seen::Seen;
use crate::watch::view::{self, Status};
use crate::watch::waiting::Journals;
use crate::watch::{explain, keys};

/// Show on the terminal what the host does now, with the findings as they come and go.
#[derive(Debug, Args)]
#[command(after_help = "\
The screen shows the findings, the TCP sockets by state over time, the listeners with the fullest queues, the \
destinations that use the most ports, the counters that grow, and an applied change that waits for confirmation. \
`?` shows the keys, Enter explains the row under the cursor, `q` quits. `watch` changes nothing on the host.")]
pub(super) struct WatchArgs {
    /// Time between two looks, from 1s to 1h
    #[arg(long, value_name = "TIME", default_value = "2s", value_parser = interval, conflicts_with = "replay")]
    interval: Duration,
    /// Append each look to this file, one snapshot per line
    #[arg(long, value_name = "FILE", conflicts_with = "replay")]
    record: Option<PathBuf>,
    /// Play a recording instead of observing this host
    #[arg(long, value_name = "FILE", conflicts_with = "netns")]
    replay: Option<PathBuf>,
    /// Play the recording so many times as fast
    #[arg(long, value_name = "TIMES", default_value = "1", requires = "replay")]
    speed: NonZeroU32,
    #[command(flatten)]
    rules: RuleArgs,
    #[command(flatten)]
    state: StateArgs,
}

fn interval(text: &str) -> Result<Duration, String> {
    let interval = parse_duration(text).map_err(|error| error.to_string())?;
    let fits = (Duration::from_secs(1)..=Duration::from_secs(3600)).contains(&interval);
    fits.then_some(interval).ok_or_else(|| "expected a time from 1s to 1h".to_owned())
}

pub(super) fn run(args: &WatchArgs, config: &Config, terminal: &Terminal) -> Outcome {
    let criteria = typed::criteria(config, &args.rules, terminal)?;
    let theme = terminal.theme();
    match &args.replay {
        Some(file) => {
            let player = Player::new(Recording::open(file)?, &criteria, f64::from(args.speed.get()))?;
            watch(Replay { player, speed: args.speed.get(), has_begun: false }, theme)
        }
        None => watch(Live::new(args, config, &criteria)?, theme),
    }
}

/// Where looks come from.
trait Source {
    /// Takes the next look. How long it is shown; `None`: there is no other.
    fn next(&mut self) -> Result<Option<Duration>, Failure>;
    /// Goes some looks forward or back. Whether that is possible.
    fn step(&mut self, by: isize) -> Result<bool, Failure>;
    fn model(&self) -> &Model;
    /// What the present look is of.
    fn snapshot(&mut self) -> Option<Snapshot>;
    fn status(&self) -> Status;
}

/// The running host.
struct Live<'a> {
    follower: Follower<'a>,
    criteria: &'a Criteria,
    journals: Journals,
    recorder: Option<Recorder>,
    interval: Duration,
    model: Model,
    trouble: Option<String>,
}

impl<'a> Live<'a> {
    fn new(args: &WatchArgs, config: &'a Config, criteria: &'a Criteria) -> Result<Self, Failure> {
        let which = &config.options.audit.netns;
        if *which == Which::All {
            let error = anyhow!("watch shows one network namespace; name it with --netns, or use --netns current");
            return Err(Failure::usage(error));
        }
        let recorder = args.record.as_deref().map(Recorder::open).transpose()?;
        // A recording is for any rule; what only the screen needs is less.
        // Numbers that change from second to second because a sample does would be in the way.
        let of_all = FirstReading { one_by_one: None, ..criteria.first_reading() };
        let first = if recorder.is_some() { FirstReading::WHOLE } else { of_all };
        Ok(Self {
            follower: Follower::new(which, criteria, typed::stated(config), first),
            criteria,
            journals: Journals::new(args.state.directory()),
            recorder,
            interval: args.interval,
            model: Model::default(),
            trouble: None,
        })
    }
}

impl Source for Live<'_> {
    fn next(&mut self) -> Result<Option<Duration>, Failure> {
        let began = Instant::now();
        let snapshot = match self.follower.look() {
            Ok(snapshot) => snapshot,
            // A host that could be seen a moment ago may be seen again.
            Err(error) if self.model.now.is_some() => {
                self.trouble = Some(error.to_string());
                return Ok(Some(self.interval));
            }
            Err(error) => return Err(error.into()),
        };
        self.trouble = None;
        if let Some(recorder) = &mut self.recorder {
            recorder.add(snapshot)?;
        }
        (self.model.waiting, self.model.waiting_trouble) = match self.journals.waiting(snapshot) {
            Ok(waiting) => (waiting, None),
            Err(why) => (Vec::new(), Some(why)),
        };
        let seen = Seen::of(self.criteria.audit(snapshot));
        self.model.add(Rc::new(seen));
        // A host that takes long to look at is left alone for as long again.
        let took = began.elapsed();
        Ok(Some(self.interval.saturating_sub(took).max(took)))
    }

    fn step(&mut self, _: isize) -> Result<bool, Failure> {
        Ok(false)
    }

    fn model(&self) -> &Model {
        &self.model
    }

    fn snapshot(&mut self) -> Option<Snapshot> {
        self.follower.last().cloned()
    }

    fn status(&self) -> Status {
        let recording = self.recorder.as_ref().map(|recorder| format!("recording to {}", recorder.path()));
        let note = self.trouble.clone().or(recording).unwrap_or_default();
        let pace = format!("every {}", units::duration(self.interval.as_secs_f64()));
        Status { pace, note, ..Status::default() }
    }
}

/// A recording.
struct Replay<'a> {
    player: Player<'a>,
    speed: u32,
    /// Whether the first look was shown.
    has_begun: bool,
}

impl Source for Replay<'_> {
    fn next(&mut self) -> Result<Option<Duration>, Failure> {
        if std::mem::replace(&mut self.has_begun, true) {
            self.player.step(1)?;
        }
        Ok(self.player.pause())
    }

    fn step(&mut self, by: isize) -> Result<bool, Failure> {
        self.player.step(by)?;
        Ok(true)
    }

    fn model(&self) -> &Model {
        self.player.model()
    }

    fn snapshot(&mut self) -> Option<Snapshot> {
        self.player.snapshot().ok()
    }

    fn status(&self) -> Status {
        let (look, looks) = self.player.place();
        let pace = if self.speed == 1 { String::new() } else { format!("speed {}", self.speed) };
        Status { look: format!("look {look} of {looks}"), pace, ..Status::default() }
    }
}

/// Shows looks until the person or a signal ends it.
fn watch(source: impl Source, theme: Theme) -> Outcome {
    let mut held = Framed::take()?;
    // The theme has decided on NO_COLOR already.
    ratatui::crossterm::style::force_color_output(theme.heading != anstyle::Style::new());
    let size = held.terminal.size().map_err(Failure::io)?;
    let screen = Screen::new((size.width, size.height));
    let ended = Session { source, screen, theme, is_paused: false, due: Some(Instant::now()) }.run(&mut held)?;
    if let Some(signal) = ended {
        held.end_by(signal).map_err(Failure::io)?;
    }
    Ok(ExitCode::SUCCESS)
}

/// One screen from its beginning to its end.
struct Session<S> {
    source: S,
    screen: Screen,
    theme: Theme,
    is_paused: bool,
    /// When the next look is due; `None`: there is no other.
    due: Option<Instant>,
}

/// Longer than a person waits; a signal or a key ends it sooner.
const WITHOUT_END: Duration = Duration::from_secs(3600);

impl<S: Source> Session<S> {
    /// The signal that ended it, if one did.
    fn run(&mut self, held: &mut Framed) -> Result<Option<Signal>, Failure> {
        self.draw(held)?;
        loop {
            let due = self.due.filter(|_| !self.is_paused);
            let left = due.map_or(WITHOUT_END, |due| due.saturating_duration_since(Instant::now()));
            if left.is_zero() {
                self.due = self.source.next()?.map(|shown| Instant::now() + shown);
                self.screen.follow(self.source.model());
                self.draw(held)?;
                continue;
            }
            match held.wait(left).map_err(Failure::io)? {
                Woken::Time => continue,
                Woken::Closed => return Ok(None),
                Woken::Signal(Signal::SIGTSTP) => held.suspend().map_err(Failure::io)?,
                Woken::Signal(Signal::SIGCONT) => held.again().map_err(Failure::io)?,
                Woken::Signal(signal) => return Ok(Some(signal)),
                Woken::Redraw => {}
                Woken::Key(key) => {
                    let Some(action) = keys::action(key) else { continue };
                    match self.screen.act(action, self.source.model()) {
                        Effect::Quit => return Ok(None),
                        Effect::Suspend => held.suspend().map_err(Failure::io)?,
                        Effect::Redraw => held.terminal.clear().map_err(Failure::io)?,
                        effect => self.follow(effect)?,
                    }
                }
            }
            self.draw(held)?;
        }
    }

    fn follow(&mut self, effect: Effect) -> Result<(), Failure> {
        match effect {
            Effect::Explain => {
                let (panel, snapshot) = (self.screen.focus, self.source.snapshot());
                let text =
                    explain::row(panel, self.screen.row(panel), self.source.model(), snapshot.as_ref(), self.theme);
                if let Some((title, text)) = text {
                    self.screen.open(title, text);
                }
            }
            Effect::Help => self.screen.open("sysctl-advisor watch".to_owned(), explain::help(self.theme)),
            Effect::Pause => self.is_paused = !self.is_paused,
            Effect::Step(by) => {
                if self.source.step(by)? {
                    self.is_paused = true;
                    self.screen.follow(self.source.model());
                }
            }
            Effect::None | Effect::Redraw | Effect::Suspend | Effect::Quit => {}
        }
        Ok(())
    }

    fn draw(&mut self, held: &mut Framed) -> Result<(), Failure> {
        let status = Status { paused: self.is_paused, ..self.source.status() };
        let Self { source, screen, theme, .. } = self;
        let drawn = held.terminal.draw(|frame| {
            let area = frame.area();
            screen.size = (area.width, area.height);
            view::draw(frame, source.model(), screen, &status, theme);
            charset::fit(frame.buffer_mut());
        });
        drawn.map(drop).map_err(Failure::io)
    }
}

impl From<NoScreen> for Failure {
    fn from(error: NoScreen) -> Self {
        match error {
            NoScreen::NotATerminal(_) => Self::usage(error),
            NoScreen::Io(_) => Self::io(error),
        }
    }
}

impl From<RecordingError> for Failure {
    fn from(error: RecordingError) -> Self {
        match error {
            RecordingError::Io { .. } => Self::io(error),
            RecordingError::Line(error) => error.into(),
            other => Self::usage(other),
        }
    }
}
