//! Formats of the audit's report for stores of events and of time series: OCSF against the schemas of the framework,
//! OpenMetrics through the parser of Prometheus' own client and through promtool.
//!
//! In: stored snapshots, one of them with a stranger's words; what `tests/run-all` installs. Out: assertions.

use std::fs;
use std::io::Write as _;
use std::path::Path;
use std::process::{Command, Stdio};

use crate::formats::{reports, strangers};
use crate::place::needs;
use crate::readers::{PYTHON, python};

/// Every event of the files is valid by the schema of its class, and an event with an attribute that the class does not have,
/// or without one that it requires, is not. Prints the number of events by class.
const EVENTS: &str = "import glob, json, collections
from jsonschema import Draft202012Validator
from ocsf_json_schema import OcsfJsonSchemaEmbedded, get_ocsf_schema
names = {2004: 'detection_finding', 6007: 'scan_activity'}
seen = collections.Counter()
for version in ['1.5.0', '1.8.0']:
    schemas = OcsfJsonSchemaEmbedded(get_ocsf_schema(version))
    valid = {uid: Draft202012Validator(schemas.get_class_schema(name, ['host'])) for uid, name in names.items()}
    for file in sorted(glob.glob('*.ocsf')):
        for line in open(file, encoding='utf-8'):
            event = json.loads(line)
            check = valid[event['class_uid']]
            for error in check.iter_errors(event):
                raise SystemExit(f'{version} {file}: {error.message} at {list(error.path)}')
            assert event['metadata']['version'] == '1.5.0'
            assert event['type_uid'] == event['class_uid'] * 100 + event['activity_id']
            assert event['category_uid'] == event['class_uid'] // 1000
            assert 1.7e12 < event['time'] < 2e12, event['time']
            assert check.is_valid(event) and not check.is_valid(event | {'no_such_attribute': 1})
            del event['metadata']['product']
            assert not check.is_valid(event)
            seen[event['class_uid']] += 1
print(dict(seen))";

#[test]
fn the_schemas_of_ocsf_allow_every_event() {
    let folder = tempfile::tempdir().unwrap();
    reports("ocsf", folder.path(), &strangers());
    let seen = python(PYTHON, folder.path(), EVENTS);
    // Five audits under two versions, one of them without a finding.
    assert!(seen.contains("6007: 10") && seen.contains("2004: "), "{seen}");
}

/// Each text is OpenMetrics to the last line; without its end it is not.
const METRICS: &str = "import glob
from prometheus_client.openmetrics.parser import text_string_to_metric_families as parse
for file in sorted(glob.glob('*.openmetrics')):
    text = open(file, encoding='utf-8').read()
    families = {family.name: family for family in parse(text)}
    assert all(family.name.endswith('_' + family.unit) for family in families.values() if family.unit), file
    try:
        list(parse(text.removesuffix('# EOF\\n')))
        raise SystemExit(f'{file}: half a text is a text')
    except ValueError:
        pass
    findings = len(families['sysctl_advisor_finding'].samples) if 'sysctl_advisor_finding' in families else 0
    titles = [sample.labels['title'] for sample in families['sysctl_advisor_finding_info'].samples] if findings else []
    assert len(titles) == findings and all(titles), file
    print(file, findings, families['sysctl_advisor_last_run_timestamp_seconds'].unit)";

#[test]
fn the_parser_of_prometheus_client_reads_open_metrics() {
    needs("promtool", "prometheus");
    let folder = tempfile::tempdir().unwrap();
    let files = reports("openmetrics", folder.path(), &strangers());
    let read = python(PYTHON, folder.path(), METRICS);
    assert!(read.starts_with("0.openmetrics 2 seconds\n") && read.contains("3.openmetrics 0 seconds\n"), "{read}");
    files.iter().for_each(|file| promtool(file));
}

fn promtool(file: &Path) {
    let mut child = Command::new("promtool").args(["check", "metrics"]).stdin(Stdio::piped()).spawn().unwrap();
    child.stdin.take().unwrap().write_all(&fs::read(file).unwrap()).unwrap();
    assert!(child.wait().unwrap().success(), "{}", file.display());
}
