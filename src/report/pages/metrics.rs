//! The page of the metrics.
//!
//! In: the table of metrics. Out: a table for each subject. Must not: know any metric.

use crate::metrics::catalogue::{Metric, metrics};
use crate::metrics::subjects::Subject;
use crate::report::markdown::{code, inline, prose, table};
use crate::report::metrics::{ALSO, heading, written};

const HEAD: &str = "\
<!-- Made from src/metrics by src/report/pages. Do not edit; to renew it: SYSCTL_ADVISOR_WRITE=1 cargo test --lib is_current -->

# Metrics

A condition of a rule uses these names. `sysctl-advisor rules metrics` prints the same list. The healthy value is the one
that the tests inside rule files start from; `sysctl-advisor rules metrics --healthy` prints these values with those of the
keys. A metric that could not be read has no value.
";

/// The page.
pub fn page() -> String {
    let mut text = HEAD.to_owned();
    for subject in Subject::ALL {
        text.push_str(&format!("\n## {}\n\n", inline(&heading(*subject))));
        let of_subject = metrics().filter(|metric| metric.of == *subject);
        text.push_str(&table(
            ["metric", "type", "unit", "healthy value", "meaning"],
            of_subject.map(|metric| row(&metric)),
        ));
    }
    text.push_str("\n## Sysctls, counters and parameters\n\n");
    text.push_str(&prose("", ALSO, 0));
    text.push_str("\n[keys.md](keys.md) lists the sysctls.\n");
    text
}

fn row(metric: &Metric) -> [String; 5] {
    let [kind, unit] = [metric.kind.name(), metric.unit].map(str::to_owned);
    [code(metric.name), kind, unit, code(&written(&metric.healthy)), inline(metric.help)]
}
