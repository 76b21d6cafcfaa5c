//! The text exposition format of Prometheus (version 0.0.4) and that of OpenMetrics (1.0), as far as gauges need them.
//!
//! In: gauges: a name, a help text, and a value for each set of labels. Out: the text, gauges and series in order of
//! their names and labels. A series that is given twice appears once, with the last value: a scraper refuses the whole
//! text for a duplicate.
//! Must not: know what is measured, or decide which series there are.

use std::collections::BTreeMap;
use std::fmt::Write as _;

use crate::text::cleaned;

/// Gauges whose names all begin with the same prefix.
#[derive(Debug)]
pub(super) struct Exposition {
    prefix: &'static str,
    gauges: BTreeMap<&'static str, Gauge>,
}

#[derive(Debug)]
struct Gauge {
    help: &'static str,
    /// By the labels as they are written: `{netns="host"}`, or nothing.
    series: BTreeMap<String, f64>,
}

impl Exposition {
    /// `prefix`: what the name of each gauge begins with, its `_` included.
    pub(super) const fn new(prefix: &'static str) -> Self {
        Self { prefix, gauges: BTreeMap::new() }
    }

    /// A gauge with one value for each set of labels, which are in the order of `labels`. One without any value is left
    /// out.
    pub(super) fn gauge<const N: usize>(
        &mut self,
        name: &'static str,
        help: &'static str,
        labels: [&'static str; N],
        values: impl IntoIterator<Item = ([String; N], f64)>,
    ) {
        let series: BTreeMap<String, f64> =
            values.into_iter().map(|(given, value)| (braces(labels, &given), value)).collect();
        if !series.is_empty() {
            self.gauges.insert(name, Gauge { help, series });
        }
    }

    /// A gauge without labels.
    pub(super) fn number(&mut self, name: &'static str, help: &'static str, value: f64) {
        self.gauge(name, help, [], [([], value)]);
    }

    /// As Prometheus reads it.
    pub(super) fn text(&self) -> String {
        self.written(false)
    }

    /// As OpenMetrics has it: with the units that the names end with, and an end, so that half a text is noticed.
    pub(super) fn open_metrics(&self) -> String {
        self.written(true) + "# EOF\n"
    }

    fn written(&self, open_metrics: bool) -> String {
        let mut text = String::new();
        for (name, Gauge { help, series }) in &self.gauges {
            let name = format!("{}{name}", self.prefix);
            // Writing to a String does not fail.
            let _ = writeln!(text, "# HELP {name} {}\n# TYPE {name} gauge", escaped(help, open_metrics));
            let unit = UNITS.iter().find(|unit| open_metrics && name.ends_with(&format!("_{unit}")));
            if let Some(unit) = unit {
                let _ = writeln!(text, "# UNIT {name} {unit}");
            }
            for (labels, value) in series {
                let _ = writeln!(text, "{name}{labels} {}", number(*value));
            }
        }
        text
    }
}

/// Units that a name ends with.
const UNITS: [&str; 2] = ["seconds", "ratio"];

/// `{netns="host",state="LISTEN"}`, without anything that a terminal would act on, in the order of the labels' names; nothing without labels.
fn braces<const N: usize>(labels: [&str; N], values: &[String; N]) -> String {
    let pairs: BTreeMap<&str, &String> = labels.into_iter().zip(values).collect();
    let pairs: Vec<String> =
        pairs.into_iter().map(|(label, value)| format!("{label}=\"{}\"", escaped(&cleaned(value), true))).collect();
    if pairs.is_empty() { String::new() } else { format!("{{{}}}", pairs.join(",")) }
}

/// A help text or the value of a label: the formats give a meaning to the backslash and to the end of the line in both, and
/// to the quote in a value; OpenMetrics also in a help text.
fn escaped(text: &str, quotes: bool) -> String {
    let text = text.replace('\\', r"\\").replace('\n', r"\n");
    if quotes { text.replace('"', "\\\"") } else { text }
}

fn number(value: f64) -> String {
    match value {
        _ if value.is_nan() => "NaN".to_owned(),
        _ if value.is_infinite() => if value > 0.0 { "+Inf" } else { "-Inf" }.to_owned(),
        _ => value.to_string(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn gauges_and_series_are_in_order_and_each_has_its_help_and_type_once() {
        let mut page = Exposition::new("x_");
        page.number("b", "Second.", 2.5);
        let series = [("q", "2"), ("p", "9"), ("p", "10")].map(|(a, z)| ([z.to_owned(), a.to_owned()], 1.0));
        page.gauge("a", "First.", ["z", "a"], series);
        page.gauge("none", "Never seen.", ["a"], []);
        assert_eq!(
            page.text(),
            "# HELP x_a First.\n# TYPE x_a gauge\n\
             x_a{a=\"p\",z=\"10\"} 1\nx_a{a=\"p\",z=\"9\"} 1\nx_a{a=\"q\",z=\"2\"} 1\n\
             # HELP x_b Second.\n# TYPE x_b gauge\nx_b 2.5\n"
        );
    }

    #[test]
    fn what_the_format_gives_a_meaning_to_is_escaped() {
        let mut page = Exposition::new("");
        page.gauge("a", "A \\ and\na \"quote\".", ["l"], [(["\\ \" \n}".to_owned()], 1.0)]);
        assert_eq!(page.text(), "# HELP a A \\\\ and\\na \"quote\".\n# TYPE a gauge\na{l=\"\\\\ \\\" \\n}\"} 1\n");
    }

    #[test]
    fn open_metrics_has_units_and_an_end() {
        let mut page = Exposition::new("");
        page.number("a_seconds", "A \"time\".", 0.5);
        page.number("b", "B.", 1.0);
        assert_eq!(
            page.open_metrics(),
            "# HELP a_seconds A \\\"time\\\".\n# TYPE a_seconds gauge\n# UNIT a_seconds seconds\na_seconds 0.5\n\
             # HELP b B.\n# TYPE b gauge\nb 1\n# EOF\n"
        );
        assert!(!page.text().contains("UNIT") && !page.text().contains("EOF"));
    }

    #[test]
    fn a_series_that_is_given_twice_appears_once() {
        let mut page = Exposition::new("");
        page.gauge("a", "A.", ["l"], [(["x".to_owned()], 1.0), (["x".to_owned()], 2.0)]);
        assert_eq!(page.text().matches("a{l=\"x\"}").count(), 1);
    }

    #[test]
    fn numbers_are_written_as_prometheus_reads_them() {
        let cases = [
            (0.0, "0"),
            (-1.5, "-1.5"),
            (1_767_225_600.0, "1767225600"),
            (f64::NAN, "NaN"),
            (f64::INFINITY, "+Inf"),
            (f64::NEG_INFINITY, "-Inf"),
        ];
        for (value, expected) in cases {
            assert_eq!(number(value), expected);
        }
    }
}
