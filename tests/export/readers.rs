//! Reports through their real readers: DuckDB, Python's csv module, and what a monitoring system makes of a check.
//!
//! In: stored snapshots; what `tests/run-all` installs. Out: nothing but assertions.

use std::path::{Path, PathBuf};
use std::process::{Command, Output};

/// Where `tests/run-all` installs DuckDB and the types of Grafana.
pub(crate) const PYTHON: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/target/test-tools/python/bin/python3");

fn data(name: &str) -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/data").join(name)
}

fn audit(snapshot: &Path, format: &str) -> Output {
    Command::new(env!("CARGO_BIN_EXE_sysctl-advisor"))
        .args(["audit", "--format", format, "--snapshot"])
        .arg(snapshot)
        .env("SYSCTL_ADVISOR_CONFIG", "/dev/null")
        .output()
        .unwrap()
}

fn report(snapshot: &Path, format: &str) -> String {
    let output = audit(snapshot, format);
    assert!(output.status.success(), "{output:?}");
    String::from_utf8(output.stdout).unwrap()
}

/// The standard output of a script of Python that succeeds.
pub(crate) fn python(interpreter: &str, folder: &Path, script: &str) -> String {
    let ran = Command::new(interpreter).args(["-c", script]).current_dir(folder).output();
    let output = ran.unwrap_or_else(|error| panic!("{interpreter}: {error}: tests/run-all installs it"));
    assert!(output.status.success(), "{script}\n{}", String::from_utf8_lossy(&output.stderr));
    String::from_utf8(output.stdout).unwrap()
}

/// Writes the report of four hosts, of which one has no finding, to a file each.
fn fleet(folder: &Path, format: &str) {
    for (host, snapshot) in
        [("a", "accept-queue.json"), ("b", "accept-queue.json"), ("c", "ports.json"), ("d", "quiet.json")]
    {
        let text = std::fs::read_to_string(data(snapshot)).unwrap().replace("web-1", host);
        let other = folder.join(format!("{host}.snapshot"));
        std::fs::write(&other, text).unwrap();
        std::fs::write(folder.join(format!("{host}.{format}")), report(&other, format)).unwrap();
    }
}

#[test]
fn duckdb_reads_the_lines_of_a_fleet_as_one_table() {
    let folder = tempfile::tempdir().unwrap();
    fleet(folder.path(), "ndjson");
    let ask = |query: &str| {
        let script = format!("import duckdb\nfor row in duckdb.sql({query:?}).fetchall(): print(*row)");
        python(PYTHON, folder.path(), &script)
    };
    let hosts = ask("SELECT rule, count(DISTINCT hostname) AS hosts FROM read_json_auto('*.ndjson') \
                     WHERE schema = 'sysctl-advisor/finding/1' AND NOT waived GROUP BY rule ORDER BY hosts DESC, rule");
    let begins = "accept-queue-limited-by-application 2\naccept-queue-overflow 2\nephemeral-ports 1\n";
    assert!(hosts.starts_with(begins), "{hosts}");
    // A host without findings ran nevertheless.
    let runs = ask("SELECT hostname, critical + warning + notice FROM read_json_auto('*.ndjson') \
                    WHERE schema = 'sysctl-advisor/run/1' ORDER BY hostname");
    assert!(runs.starts_with("a 2\nb 2\nc ") && runs.ends_with("\nd 0\n"), "{runs}");
    let keys =
        ask("SELECT DISTINCT k.key, k.proposed FROM (SELECT unnest(keys) AS k FROM read_json_auto('*.ndjson')) \
                    ORDER BY ALL");
    assert!(keys.contains("net.ipv4.ip_local_port_range 16384 65535\n"), "{keys}");
    // Columns have the same types whichever hosts the files are from.
    let types = |files: &str| {
        // A list that is empty in every line has no type of its own.
        ask(&format!(
            "SELECT column_name, column_type FROM (DESCRIBE SELECT * FROM read_json_auto({files})) \
             WHERE NOT contains(column_type, '[]') ORDER BY column_name"
        ))
    };
    let all = types("'*.ndjson'");
    assert_eq!(all, types("'a.ndjson'"));
    assert_eq!(all, types("['c.ndjson', 'd.ndjson']"));
    assert!(!all.contains("JSON"), "{all}");
    assert!(all.contains("line BIGINT") && all.contains("waived BOOLEAN"), "{all}");
    let numbers = ask("SELECT DISTINCT typeof(e.value), typeof(e.text) FROM \
                       (SELECT unnest(evidence) AS e FROM read_json_auto('*.ndjson'))");
    assert_eq!(numbers, "DOUBLE VARCHAR\n");
}

#[test]
fn python_s_csv_module_reads_a_row_for_each_finding_and_no_formula() {
    let folder = tempfile::tempdir().unwrap();
    fleet(folder.path(), "csv");
    let hostile =
        std::fs::read_to_string(data("accept-queue.json")).unwrap().replace("backend", "=cmd|' /C \\\"x\\\",\\n'!A1");
    let hostile = hostile.replace("web-1", "=1+1");
    std::fs::write(folder.path().join("e.snapshot"), hostile).unwrap();
    std::fs::write(folder.path().join("e.csv"), report(&folder.path().join("e.snapshot"), "csv")).unwrap();
    let rows = |host: &str, columns: &str| {
        let script = format!(
            "import csv\nwith open('{host}.csv', newline='') as file:\n  rows = list(csv.reader(file, strict=True))\n\
             names = rows.pop(0)\nassert len(set(names)) == len(names)\n\
             assert all(len(row) == len(names) for row in rows)\n\
             assert not any(cell[:1] in ('=', '+', '-', '@') for row in rows for cell in row)\n\
             for row in rows:\n  row = dict(zip(names, row)); print([row[name] for name in '{columns}'.split()])"
        );
        python("/usr/bin/python3", folder.path(), &script)
    };
    assert_eq!(
        rows("a", "hostname warning notice severity rule namespaces waived"),
        "['a', '1', '1', 'warning', 'accept-queue-limited-by-application', '1', 'no']\n\
         ['a', '1', '1', 'notice', 'accept-queue-overflow', '1', 'no']\n"
    );
    assert_eq!(rows("d", "hostname warning severity rule"), "['d', '0', '', '']\n");
    let shown = rows("e", "hostname title");
    assert!(shown.contains("\"'=1+1\"") && shown.contains("/C \"x\", "), "{shown}");
}

/// A label of performance data, its number, and whether the rest keeps to the guidelines of the plugins:
/// `'label'=value[UOM];[warn];[crit];[min];[max]`.
pub(crate) fn performance(text: &str) -> Vec<(String, f64)> {
    let mut found = Vec::new();
    let mut rest = text.trim();
    while !rest.is_empty() {
        let (label, after) = rest.strip_prefix('\'').unwrap().split_once("'=").unwrap();
        assert!(!label.is_empty() && !label.contains(['\'', '=']), "{label}");
        let (value, next) = after.split_once(' ').unwrap_or((after, ""));
        let parts: Vec<&str> = value.split(';').collect();
        assert_eq!(parts.len(), 5, "{value}");
        let number = parts[0].strip_suffix('s').unwrap_or(parts[0]);
        for limit in &parts[1..] {
            assert!(limit.is_empty() || limit.parse::<f64>().is_ok(), "{value}");
        }
        found.push((label.to_owned(), number.parse().unwrap()));
        rest = next.trim_start();
    }
    found
}

#[test]
fn a_check_of_nagios_ends_with_its_state_and_its_performance_data_can_be_read() {
    let folder = tempfile::tempdir().unwrap();
    let broken = folder.path().join("broken.json");
    std::fs::write(&broken, "{").unwrap();
    for (snapshot, code, begins) in [
        (data("quiet.json"), 0, "SYSCTL OK - no findings"),
        (data("accept-queue.json"), 1, "SYSCTL WARNING - 1 warning, 1 notice: 127.0.0.1:9001"),
        (data("ports.json"), 2, "SYSCTL CRITICAL - 1 critical, "),
        (broken, 3, "SYSCTL UNKNOWN - "),
        (folder.path().join("missing.json"), 3, "SYSCTL UNKNOWN - "),
    ] {
        let output = audit(&snapshot, "nagios");
        let text = String::from_utf8(output.stdout).unwrap();
        assert_eq!(output.status.code(), Some(code), "{text}");
        assert!(text.starts_with(begins) && text.len() < 4096, "{text}");
        let (_, data) = text.lines().next().unwrap().split_once(" | ").unwrap_or_default();
        let data = performance(data);
        assert_eq!(text.matches('|').count(), usize::from(code != 3), "{text}");
        assert!(code == 3 || data.iter().any(|(label, _)| label == "this network namespace TIME_WAIT"), "{data:?}");
        let value = |name: &str| data.iter().find(|(label, _)| label == name).map_or(0.0, |(_, number)| *number);
        assert_eq!(value("critical") > 0.0, code == 2, "{data:?}");
    }
}

#[test]
fn a_broken_rule_or_configuration_is_unknown_to_nagios() {
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("rule.toml");
    std::fs::write(&file, "nothing = 1").unwrap();
    for (option, value) in [("--rules", folder.path()), ("--config", &file)] {
        let output = Command::new(env!("CARGO_BIN_EXE_sysctl-advisor"))
            .args(["audit", "--format", "nagios", "--snapshot"])
            .arg(data("accept-queue.json"))
            .arg(option)
            .arg(value)
            .output()
            .unwrap();
        let text = String::from_utf8(output.stdout).unwrap();
        assert_eq!(output.status.code(), Some(3), "{text}");
        assert!(text.starts_with("SYSCTL UNKNOWN - "), "{text}");
    }
}

#[test]
fn checkmk_has_the_same_services_whatever_is_found() {
    let services = |snapshot: &str| -> Vec<(String, String)> {
        let text = report(&data(snapshot), "checkmk");
        let lines = text.lines().map(|line| {
            let (state, rest) = line.split_once(' ').unwrap();
            let (service, rest) = rest.strip_prefix('"').unwrap().split_once("\" ").unwrap();
            let (metrics, words) = rest.split_once(' ').unwrap();
            for metric in metrics.split('|') {
                let (name, value) = metric.split_once('=').unwrap();
                assert!(name.chars().all(|c| c.is_ascii_alphanumeric() || c == '_'), "{name}");
                assert!(value.parse::<f64>().is_ok(), "{metric}");
            }
            assert!(!words.contains('|') && !words.is_empty(), "{line}");
            (service.to_owned(), state.to_owned())
        });
        lines.collect()
    };
    let names = |services: &[(String, String)]| services.iter().map(|(name, _)| name.clone()).collect::<Vec<_>>();
    let (quiet, ports) = (services("quiet.json"), services("ports.json"));
    assert_eq!(names(&quiet), names(&ports));
    assert_eq!(quiet.len(), 7);
    assert!(quiet.iter().all(|(_, state)| state == "0"), "{quiet:?}");
    assert_eq!(ports[0], ("Sysctl advisor".to_owned(), "2".to_owned()));
}
