//! Numbers as a person reads them, and durations as a person types them.
//!
//! In: plain numbers, in the unit that each function names. Out: short text with its unit (`28,232`, `6.0 MiB`, `37 %`,
//! `2 h 5 min`, `1,203/s`). A leaf: every stage may use it.
//! Must not: know what a number is about, or round a thing that is not everything to `100 %`.

use std::time::Duration;

/// A count with thousands separators: `28,232`.
pub fn count(number: i64) -> String {
    let digits = number.unsigned_abs().to_string();
    let mut text = String::with_capacity(digits.len() + digits.len() / 3 + 1);
    if number < 0 {
        text.push('-');
    }
    for (position, digit) in digits.chars().enumerate() {
        if position > 0 && (digits.len() - position).is_multiple_of(3) {
            text.push(',');
        }
        text.push(digit);
    }
    text
}

/// [`count`] for the unsigned numbers of a snapshot; beyond `i64` it stays at the largest.
pub fn count_u64(number: u64) -> String {
    count(i64::try_from(number).unwrap_or(i64::MAX))
}

/// [`quantity`] of things that were counted.
pub fn quantity_of(number: usize, units: &str) -> String {
    quantity(i64::try_from(number).unwrap_or(i64::MAX), units)
}

/// A count with its unit, which is given in the plural: `28,232 ports`, `1 port`.
pub fn quantity(number: i64, units: &str) -> String {
    if number != 1 {
        return format!("{} {units}", count(number));
    }
    if let Some(stem) = units.strip_suffix("ies") {
        return format!("1 {stem}y");
    }
    let one = match units.strip_suffix("es") {
        Some(stem) if stem.ends_with("ss") => stem,
        _ if units.len() > 2 && !units.ends_with("ss") && !units.ends_with("/s") => {
            units.strip_suffix('s').unwrap_or(units)
        }
        _ => units,
    };
    format!("1 {one}")
}

/// A size in binary units with one decimal: `6.0 MiB`; below one KiB the bytes themselves. Computed in integers, so
/// that no size is too large to be right.
pub fn bytes(number: i64) -> String {
    const UNITS: [&str; 6] = ["KiB", "MiB", "GiB", "TiB", "PiB", "EiB"];
    let size = u128::from(number.unsigned_abs());
    let sign = if number < 0 { "-" } else { "" };
    if size < 1024 {
        return format!("{sign}{size} {}", if size == 1 { "byte" } else { "bytes" });
    }
    let mut tenths = 0;
    let mut name = "";
    for (position, unit) in UNITS.iter().enumerate() {
        let one = 1_u128 << (10 * (position + 1));
        (tenths, name) = ((size * 10 + one / 2) / one, unit);
        // Looked at after rounding: 1,048,575 bytes are 1.0 MiB, never 1024.0 KiB.
        if tenths < 10_240 {
            break;
        }
    }
    format!("{sign}{}.{} {name}", tenths / 10, tenths % 10)
}

/// A share (1.0 is everything) in percent: `37 %`, `0.4 %`. What lies below 1 never reads as `100 %`, and what lies
/// above 0 never as `0 %`.
pub fn percent(share: f64) -> String {
    if !share.is_finite() {
        return "unknown".to_owned();
    }
    // Shares come from divisions and thresholds such as 0.57, which is 56.99999999999999 %.
    let percent = (share.abs() * 1e8).round() / 1e6;
    let sign = if share < 0.0 { "-" } else { "" };
    let shown = match percent {
        _ if share == 0.0 => 0.0,
        p if p < 0.1 => return format!("{}{sign}0.1 %", if share < 0.0 { "> " } else { "< " }),
        p if p < 10.0 => tenths(p, f64::round),
        _ if share.abs() < 1.0 && percent >= 99.0 => tenths(percent.min(99.9), f64::floor),
        p => p.round(),
    };
    format!("{sign}{shown} %")
}

/// A time span in seconds, its two largest units: `250 ms`, `2.5 s`, `59 s`, `2 h 5 min`, `3 d 4 h`.
pub fn duration(seconds: f64) -> String {
    if !seconds.is_finite() {
        return "unknown".to_owned();
    }
    let (sign, span) = (if seconds < 0.0 { "-" } else { "" }, seconds.abs());
    if span == 0.0 {
        return "0 s".to_owned();
    }
    if span < 0.9995 {
        let milliseconds = if span < 0.01 { tenths(span * 1000.0, f64::round) } else { (span * 1000.0).round() };
        return format!("{sign}{} ms", milliseconds.max(0.1));
    }
    if span < 9.95 {
        return format!("{sign}{} s", tenths(span, f64::round));
    }
    let whole = span.round() as u64;
    let (large, large_name, small, small_name) = match whole {
        0..60 => return format!("{sign}{whole} s"),
        60..3600 => (whole / 60, "min", whole % 60, "s"),
        3600..86_400 => (whole / 3600, "h", whole % 3600 / 60, "min"),
        _ => (whole / 86_400, "d", whole % 86_400 / 3600, "h"),
    };
    let large = count_u64(large);
    if small == 0 {
        format!("{sign}{large} {large_name}")
    } else {
        format!("{sign}{large} {large_name} {small} {small_name}")
    }
}

/// A time span in seconds as one says it, in its largest whole unit: `3 days`, `1 hour`, `20 minutes`.
pub fn span(seconds: i64) -> String {
    match seconds.max(0) {
        0..60 => "less than a minute".to_owned(),
        whole @ 60..3600 => quantity(whole / 60, "minutes"),
        whole @ 3600..86_400 => quantity(whole / 3600, "hours"),
        whole => quantity(whole / 86_400, "days"),
    }
}

/// A moment in seconds since the epoch, to the minute and in UTC: `2026-11-20 08:15`.
pub fn moment(at: i64) -> String {
    shown(at, "%Y-%m-%d %H:%M")
}

/// The day of a moment, UTC: `2026-11-20`.
pub fn day(at: i64) -> String {
    shown(at, "%Y-%m-%d")
}

fn shown(at: i64, format: &str) -> String {
    jiff::Timestamp::from_second(at)
        .map_or_else(|_| "at an unknown time".to_owned(), |moment| moment.strftime(format).to_string())
}

/// Events a second: `1,203/s`, `12.5/s`, `0.05/s`.
pub fn rate(per_second: f64) -> String {
    if !per_second.is_finite() {
        return "unknown".to_owned();
    }
    format!("{}/s", decimal(per_second))
}

/// A number that need not be whole, as exact as a reader needs: `28,232`, `12.5`, `0.05`.
pub fn decimal(number: f64) -> String {
    let size = number.abs();
    if !number.is_finite() {
        "unknown".to_owned()
    } else if size >= 99.95 {
        count(number.round() as i64)
    } else if size >= 1.0 {
        tenths(number, f64::round).to_string()
    } else if size == 0.0 {
        "0".to_owned()
    } else if size < 0.0005 {
        if number < 0.0 { "> -0.001".to_owned() } else { "< 0.001".to_owned() }
    } else {
        ((number * 1000.0).round() / 1000.0).to_string()
    }
}

fn tenths(number: f64, rounding: fn(f64) -> f64) -> f64 {
    rounding(number * 10.0) / 10.0
}

/// A duration on the command line or in the configuration that cannot be taken.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum UnitError {
    #[error("`{0}` is not a duration; write a number and a unit, such as 500ms, 2s, 10m, 1h or 1d (no unit: seconds)")]
    NotADuration(String),
    #[error("the duration `{0}` is too long")]
    TooLong(String),
}

/// Reads `500ms`, `2s`, `1.5s`, `10m`, `1h`, `1d`, or `2`, which is seconds.
pub fn parse_duration(text: &str) -> Result<Duration, UnitError> {
    let not_one = || UnitError::NotADuration(text.to_owned());
    let trimmed = text.trim();
    let digits_end = trimmed.find(|c: char| !c.is_ascii_digit() && c != '.').unwrap_or(trimmed.len());
    let (number, unit) = trimmed.split_at(digits_end);
    let factor = match unit.trim_start() {
        "ms" => 0.001,
        "" | "s" | "sec" => 1.0,
        "m" | "min" => 60.0,
        "h" => 3600.0,
        "d" => 86_400.0,
        _ => return Err(not_one()),
    };
    let number: f64 = number.parse().map_err(|_| not_one())?;
    Duration::try_from_secs_f64(number * factor).map_err(|_| UnitError::TooLong(text.to_owned()))
}

/// The present time to the second, RFC 3339, UTC.
pub fn now() -> String {
    let now = jiff::Timestamp::now();
    now.round(jiff::Unit::Second).unwrap_or(now).to_string()
}

/// FNV-1a, 64 bits: the same on every machine and in every release. No protection against a forger.
pub fn fnv1a(bytes: impl Iterator<Item = u8>) -> u64 {
    bytes.fold(0xcbf2_9ce4_8422_2325, |hash, byte| (hash ^ u64::from(byte)).wrapping_mul(0x0100_0000_01b3))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn counts_have_a_separator_every_three_digits() {
        let shown = [0, 7, 999, 1000, 28_232, -1_234_567, i64::MIN].map(count);
        assert_eq!(shown, ["0", "7", "999", "1,000", "28,232", "-1,234,567", "-9,223,372,036,854,775,808"]);
        assert_eq!(count_u64(u64::MAX), "9,223,372,036,854,775,807");
    }

    #[test]
    fn one_thing_is_not_called_by_its_plural() {
        let units = ["ports", "entries", "addresses", "bytes", "ms", "kbit/s", "CPUs", "notices"];
        let shown = ["1 port", "1 entry", "1 address", "1 byte", "1 ms", "1 kbit/s", "1 CPU", "1 notice"];
        assert_eq!(units.map(|unit| quantity(1, unit)), shown);
        assert_eq!(quantity(28_232, "ports"), "28,232 ports");
        assert_eq!(quantity(0, "rules"), "0 rules");
    }

    #[test]
    fn bytes_take_the_unit_that_keeps_them_below_1024_after_rounding() {
        let sizes = [0, 1, 1023, 1024, 1536, 6 << 20, (1 << 20) - 1, 17_179_869_184, i64::MAX, -2048];
        let shown = [
            "0 bytes",
            "1 byte",
            "1023 bytes",
            "1.0 KiB",
            "1.5 KiB",
            "6.0 MiB",
            "1.0 MiB",
            "16.0 GiB",
            "8.0 EiB",
            "-2.0 KiB",
        ];
        assert_eq!(sizes.map(bytes), shown);
    }

    #[test]
    fn a_share_is_neither_everything_nor_nothing_unless_it_is() {
        let shares = [0.0, 0.000_001, 0.004, 0.05, 0.0999, 0.37, 0.57, 0.987, 0.996, 0.999_999_999_9, 1.0, 1.5];
        let shown =
            ["0 %", "< 0.1 %", "0.4 %", "5 %", "10 %", "37 %", "57 %", "99 %", "99.6 %", "99.9 %", "100 %", "150 %"];
        assert_eq!(shares.map(percent), shown);
        assert_eq!(percent(-0.25), "-25 %");
        assert_eq!(percent(f64::NAN), "unknown");
    }

    #[test]
    fn durations_show_their_two_largest_units() {
        let spans = [
            0.0, 0.000_01, 0.0025, 0.25, 0.9999, 2.0, 2.54, 9.99, 59.0, 59.7, 60.0, 125.0, 7500.0, 7200.0, 86_400.0,
            273_600.0,
        ];
        let shown = [
            "0 s",
            "0.1 ms",
            "2.5 ms",
            "250 ms",
            "1 s",
            "2 s",
            "2.5 s",
            "10 s",
            "59 s",
            "1 min",
            "1 min",
            "2 min 5 s",
            "2 h 5 min",
            "2 h",
            "1 d",
            "3 d 4 h",
        ];
        assert_eq!(spans.map(duration), shown);
        assert_eq!(duration(-5.0), "-5 s");
        assert_eq!(duration(f64::INFINITY), "unknown");
    }

    #[test]
    fn spans_are_told_in_whole_units_and_moments_in_utc() {
        let spans = [-5, 59, 60, 7199, 86_399, 86_400, 300_000];
        let said = ["less than a minute", "less than a minute", "1 minute", "1 hour", "23 hours", "1 day", "3 days"];
        assert_eq!(spans.map(span), said);
        assert_eq!((moment(0), day(1_767_225_600)), ("1970-01-01 00:00".to_owned(), "2026-01-01".to_owned()));
        assert_eq!(moment(i64::MAX), "at an unknown time");
    }

    #[test]
    fn rates_are_as_exact_as_they_are_small() {
        let rates = [0.0, 0.000_1, 0.05, 0.5, 1.0, 12.54, 99.97, 1203.4];
        assert_eq!(rates.map(rate), ["0/s", "< 0.001/s", "0.05/s", "0.5/s", "1/s", "12.5/s", "100/s", "1,203/s"]);
    }

    #[test]
    fn durations_are_read_with_and_without_a_unit() {
        let read = |text| parse_duration(text).unwrap().as_millis();
        let texts = ["500ms", "2s", "10m", "1h", "2", "1.5s", "1d", " 3 s ", "0"];
        assert_eq!(texts.map(read), [500, 2000, 600_000, 3_600_000, 2000, 1500, 86_400_000, 3000, 0]);
    }

    #[test]
    fn what_is_no_duration_is_refused_with_an_example() {
        for text in ["", "s", "-1s", "2 weeks", "1h30m", "1e3", "1..2", ".", "\u{661}s", "inf", "nan"] {
            let error = parse_duration(text).unwrap_err();
            assert_eq!(error, UnitError::NotADuration(text.to_owned()), "{text}");
            assert!(error.to_string().contains("500ms"));
        }
        let long = "9".repeat(400);
        assert_eq!(parse_duration(&long), Err(UnitError::TooLong(long)));
    }
}
