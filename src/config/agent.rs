//! The `[agent]` section.
//!
//! In: its options as written. Out: [`AgentSettings`], or what is wrong with which option. Must not: read files.

use std::ops::Range;
use std::path::PathBuf;
use std::time::Duration;

use serde::Deserialize;
use toml::Spanned;

use super::settings::AgentSettings;
use crate::units;

/// The section as written.
#[derive(Debug, Default, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub(super) struct AgentSection {
    hold_off: Option<Spanned<u32>>,
    resolve_after: Option<Spanned<u32>>,
    flap_limit: Option<Spanned<u32>>,
    keep: Option<Spanned<String>>,
    max_size: Option<Spanned<String>>,
    textfile: Option<Spanned<String>>,
    journal: Option<bool>,
    netns: Option<Spanned<String>>,
    apply: bool,
    watch: Option<Spanned<String>>,
    confirm_after: Option<Spanned<String>>,
}

/// More runs than this are no hold-off but a switch.
const MOST_RUNS: u32 = 1000;
const MINUTE: Duration = Duration::from_secs(60);
const DAY: Duration = Duration::from_secs(24 * 3600);
/// Smaller than any history; larger than its program reads.
const SIZES: Range<u64> = 1 << 20..1 << 30;

/// What is wrong, and where.
type Wrong = (Range<usize>, String);

impl AgentSection {
    /// The settings, with defaults for what is not written.
    pub(super) fn settings(&self) -> Result<AgentSettings, Wrong> {
        let mut settings = AgentSettings { apply: self.apply, ..AgentSettings::default() };
        for (written, setting) in [
            (&self.hold_off, &mut settings.hold.hold_off),
            (&self.resolve_after, &mut settings.hold.resolve_after),
            (&self.flap_limit, &mut settings.hold.flap_limit),
        ] {
            if let Some(number) = written {
                *setting = runs(number)?;
            }
        }
        if let Some(keep) = &self.keep {
            settings.retention.age = duration(keep, DAY, 3660 * DAY)?;
        }
        if let Some(size) = &self.max_size {
            settings.retention.bytes = bytes(size.get_ref()).map_err(|why| (size.span(), why))?;
        }
        if let Some(file) = &self.textfile {
            settings.textfile = textfile(file)?;
        }
        settings.journal = self.journal.unwrap_or(settings.journal);
        if let Some(netns) = &self.netns {
            settings.netns = netns.get_ref().parse().map_err(|why: String| (netns.span(), why))?;
        }
        if let Some(watch) = &self.watch {
            settings.watch = duration(watch, MINUTE, 30 * DAY)?;
        }
        if let Some(after) = &self.confirm_after {
            let never = after.get_ref() == "never";
            settings.confirm_after = if never { None } else { Some(duration(after, MINUTE, 30 * DAY)?) };
        }
        // What is to be made permanent is watched until then, however short `watch` is.
        settings.watch = settings.watch.max(settings.confirm_after.unwrap_or_default());
        Ok(settings)
    }
}

fn runs(number: &Spanned<u32>) -> Result<u32, Wrong> {
    match *number.get_ref() {
        runs @ 1..=MOST_RUNS => Ok(runs),
        _ => Err((number.span(), format!("1 to {MOST_RUNS} is wanted"))),
    }
}

fn duration(text: &Spanned<String>, least: Duration, most: Duration) -> Result<Duration, Wrong> {
    let wrong = |why: String| (text.span(), why);
    let duration = units::parse_duration(text.get_ref()).map_err(|error| wrong(error.to_string()))?;
    if (least..=most).contains(&duration) {
        return Ok(duration);
    }
    let [least, most] = [least, most].map(|limit| units::duration(limit.as_secs_f64()));
    Err(wrong(format!("{least} to {most} is wanted")))
}

/// `64MiB`, `1 GiB`.
fn bytes(text: &str) -> Result<u64, String> {
    let digits = text.find(|c: char| !c.is_ascii_digit()).unwrap_or(text.len());
    let (number, unit) = text.split_at(digits);
    let shift = match unit.trim() {
        "KiB" => 10,
        "MiB" => 20,
        "GiB" => 30,
        _ => return Err(format!("`{text}` is not a size; write a number and KiB, MiB or GiB, such as 64MiB")),
    };
    let size = number.parse::<u64>().ok().and_then(|number| number.checked_mul(1 << shift));
    size.filter(|size| (SIZES.start..=SIZES.end).contains(size)).ok_or_else(|| "1 MiB to 1 GiB is wanted".to_owned())
}

fn textfile(file: &Spanned<String>) -> Result<Option<PathBuf>, Wrong> {
    let path = PathBuf::from(file.get_ref());
    let is_read = path.extension().is_some_and(|end| end == "prom");
    match file.get_ref().as_str() {
        "" => Ok(None),
        _ if path.is_absolute() && is_read => Ok(Some(path)),
        _ => Err((file.span(), "a path from / that ends in .prom is wanted, or \"\" for none".to_owned())),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::history::{HoldOff, Retention};
    use crate::host::netns::Which;

    fn parsed(text: &str) -> Result<AgentSettings, Wrong> {
        toml::from_str::<AgentSection>(text).unwrap().settings()
    }

    #[test]
    fn an_empty_section_is_the_default_and_changes_nothing_on_the_host() {
        let settings = parsed("").unwrap();
        assert_eq!(settings, AgentSettings::default());
        assert!(!settings.apply && settings.confirm_after.is_none());
    }

    #[test]
    fn every_option_is_read() {
        let text = "hold_off = 3\nresolve_after = 4\nflap_limit = 5\nkeep = \"30d\"\nmax_size = \"16 MiB\"\ntextfile = \"\"\n\
                    journal = false\nnetns = \"current\"\napply = true\nwatch = \"2d\"\nconfirm_after = \"24h\"\n";
        let expected = AgentSettings {
            hold: HoldOff { hold_off: 3, resolve_after: 4, flap_limit: 5 },
            retention: Retention { age: 30 * DAY, bytes: 16 << 20 },
            textfile: None,
            journal: false,
            netns: Which::Current,
            apply: true,
            watch: 2 * DAY,
            confirm_after: Some(DAY),
        };
        assert_eq!(parsed(text), Ok(expected));
        assert_eq!(parsed("confirm_after = \"never\"").unwrap().confirm_after, None);
        assert_eq!(parsed("confirm_after = \"3d\"").unwrap().watch, 3 * DAY, "watched until then");
    }

    #[test]
    fn what_makes_no_sense_is_told_with_its_place() {
        for (text, why) in [
            ("hold_off = 0", "1 to 1000"),
            ("keep = \"5m\"", "1 d to"),
            ("keep = \"soon\"", "not a duration"),
            ("max_size = \"64\"", "not a size"),
            ("max_size = \"5 KiB\"", "1 MiB to"),
            ("max_size = \"99999999999999999999GiB\"", "1 MiB to"),
            ("textfile = \"metrics.prom\"", "a path from /"),
            ("textfile = \"/run/x/metrics.txt\"", ".prom"),
            ("confirm_after = \"soon\"", "not a duration"),
        ] {
            let (span, said) = parsed(text).unwrap_err();
            assert!(said.contains(why), "{text}: {said}");
            assert_eq!(span, text.find('=').unwrap() + 2..text.len(), "{text}");
        }
    }
}
