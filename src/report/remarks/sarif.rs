//! The remarks for viewers and stores of static analysis: SARIF 2.1.0.
//!
//! In: [`Remarks`]. Out: JSON by the standard; a result at its line and columns, and at its key where there is no file.
//! Must not: have a property of the standard that `report/sarif` does not have.

use serde::Serialize;

use super::format::Format;
use super::record::{Origin, Remark, Remarks};
use super::words;
use crate::report::as_json;
use crate::report::sarif::{
    About, ArtifactLocation, Location, Log, LogicalLocation, PhysicalLocation, Region, ResultView, RuleView, Start,
    level, line_of_file, notification, rule, text, uri,
};
use crate::text::{cleaned, one_line};

pub(super) const FORMAT: Format = Format {
    name: "sarif",
    help: "SARIF 2.1.0, for viewers and stores of static analysis",
    write: |remarks, output| as_json::line(&log(remarks), output),
};

/// Of our fingerprint. Its number changes when the fingerprint is made in another way.
const FINGERPRINT: &str = "sysctlAdvisorRemark/v1";
const NOT_READ: &str = "not-read";
const NOTIFICATIONS: [(&str, &str); 1] = [(NOT_READ, "A file or a value could not be read.")];

#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct RunProperties<'a> {
    command: &'static str,
    about: &'a str,
    observed_at: &'a str,
    /// Null where the files are not those of a host.
    hostname: Option<&'a str>,
    kernel: Option<&'a str>,
    keys: usize,
    files: usize,
}

#[derive(Serialize)]
struct ResultProperties {
    origin: &'static str,
    key: Option<String>,
    cause: Option<&'static str>,
}

fn log(remarks: &Remarks) -> Log<'_, RunProperties<'_>, Vec<ResultView<'_, ResultProperties>>> {
    let Remarks { command, observed_at, host, about, checked: _, remarks: found, gaps: _ } = remarks;
    let hostname = host.as_ref().map(|host| host.hostname.as_str());
    let [keys, files] = words::extent_in_numbers(remarks);
    let mut log: Log<'_, _, Vec<_>> = Log::begin(Start {
        version: env!("CARGO_PKG_VERSION"),
        id: format!("sysctl-advisor/{command}/{}/", one_line(hostname.unwrap_or_default())),
        at: observed_at,
        notifications: &NOTIFICATIONS,
        properties: RunProperties {
            command,
            about,
            observed_at,
            hostname,
            kernel: host.as_ref().map(|host| host.kernel.as_str()),
            keys,
            files,
        },
    });
    for (remark, fingerprint) in found.iter().zip(remarks.fingerprints()) {
        let rule_index = log.rule(&remark.code, || rule_of(remark));
        log.results().push(ResultView {
            rule_id: &remark.code,
            rule_index,
            level: level(remark.severity),
            message: text(&remark.text),
            locations: [location(remark)],
            partial_fingerprints: [(FINGERPRINT, fingerprint)].into(),
            suppressions: None,
            properties: ResultProperties {
                origin: remark.origin.name(),
                key: remark.key.as_deref().map(|key| cleaned(key).into_owned()),
                cause: Some(remark.cause).filter(|cause| !cause.is_empty()),
            },
        });
    }
    let not_read = words::not_read(remarks);
    log.notify(
        not_read
            .iter()
            .map(|(what, why)| notification(NOT_READ, "note", &format!("{} could not be read: {why}", one_line(what)))),
    );
    log
}

fn rule_of(remark: &Remark) -> RuleView<'_> {
    let Remark { code, severity, origin, explain, references, .. } = remark;
    let more = if *origin == Origin::Rule { words::more(remark) } else { String::new() };
    let explain = if explain.is_empty() { code } else { explain };
    rule(About { id: code, severity: *severity, kind: origin.name(), explain, more: &more, references })
}

/// The line with the columns, if there is a file, and always the key.
fn location(remark: &Remark) -> Location {
    let Remark { key, file, line, columns, snippet, .. } = remark;
    let physical_location = file.as_ref().map(|file| {
        if *line == 0 {
            return PhysicalLocation { artifact_location: ArtifactLocation { uri: uri(file) }, region: None };
        }
        let snippet = Some(snippet.as_str()).filter(|snippet| !snippet.is_empty());
        let place = line_of_file(file, *line as usize, snippet);
        let with_columns = |region| Region {
            start_column: columns.as_ref().map(|columns| columns.start),
            end_column: columns.as_ref().map(|columns| columns.end),
            ..region
        };
        PhysicalLocation { region: place.region.map(with_columns), ..place }
    });
    let logical = |key: &String| {
        let name = cleaned(key).into_owned();
        LogicalLocation { name: name.clone(), fully_qualified_name: name, kind: "resource" }
    };
    Location { physical_location, logical_locations: key.iter().map(logical).collect() }
}
