//! The whole text of each format.
//!
//! In: the example. Out: assertions. Must not: leave out what a stranger's words do to a format.

use std::collections::BTreeSet;

use pulldown_cmark::{Event, Options, Parser, Tag};
use serde_json::Value as Json;

use super::super::example::{example, remark};
use super::super::record::{Remark, Remarks};
use super::{nothing, shown, written};

#[test]
fn sarif_reads_so() {
    let log: Json = serde_json::from_str(&shown("sarif")).unwrap();
    let run = &log["runs"][0];
    let results = run["results"].as_array().unwrap();
    for result in results {
        let rule = &run["tool"]["driver"]["rules"][usize::try_from(result["ruleIndex"].as_u64().unwrap()).unwrap()];
        assert_eq!(rule["id"], result["ruleId"]);
        assert!(rule["help"]["text"].as_str().unwrap().len() > 20, "{rule}");
    }
    insta::assert_snapshot!(serde_json::to_string_pretty(&results[1..=3]).unwrap(), @r#"
    [
      {
        "ruleId": "duplicates_disagree",
        "ruleIndex": 1,
        "level": "warning",
        "message": {
          "text": "net.core.somaxconn is set to `128` here and to `4096` in line 9, which overrides this line."
        },
        "locations": [
          {
            "physicalLocation": {
              "artifactLocation": {
                "uri": "conf/90-tuning.conf"
              },
              "region": {
                "startLine": 3,
                "startColumn": 1,
                "endColumn": 25,
                "snippet": {
                  "text": "net.core.somaxconn = 128"
                }
              }
            },
            "logicalLocations": [
              {
                "name": "net.core.somaxconn",
                "fullyQualifiedName": "net.core.somaxconn",
                "kind": "resource"
              }
            ]
          }
        ],
        "partialFingerprints": {
          "sysctlAdvisorRemark/v1": "74e24b38555dd0aa"
        },
        "properties": {
          "origin": "file",
          "key": "net.core.somaxconn",
          "cause": null
        }
      },
      {
        "ruleId": "not_in_force",
        "ruleIndex": 2,
        "level": "warning",
        "message": {
          "text": "The files set `30`, and the value is `60`. The file was changed 5 min after the boot."
        },
        "locations": [
          {
            "physicalLocation": {
              "artifactLocation": {
                "uri": "conf/90-tuning.conf"
              },
              "region": {
                "startLine": 12,
                "startColumn": 3,
                "endColumn": 32,
                "snippet": {
                  "text": "  net.ipv4.tcp_fin_timeout = 30 "
                }
              }
            },
            "logicalLocations": [
              {
                "name": "net.ipv4.tcp_fin_timeout",
                "fullyQualifiedName": "net.ipv4.tcp_fin_timeout",
                "kind": "resource"
              }
            ]
          }
        ],
        "partialFingerprints": {
          "sysctlAdvisorRemark/v1": "2fdf4920ec993bc0"
        },
        "properties": {
          "origin": "status",
          "key": "net.ipv4.tcp_fin_timeout",
          "cause": "file_changed_since"
        }
      },
      {
        "ruleId": "timestamps-off",
        "ruleIndex": 3,
        "level": "error",
        "message": {
          "text": "a\"b'c,d|e] (f) %41 <g> & { 0} �[31m \n::error::h\\ni �`j` is harmful."
        },
        "locations": [
          {
            "physicalLocation": {
              "artifactLocation": {
                "uri": "conf/a%22b%27c%2Cd%7Ce%5D%28f%29%20%2541%20%3Cg%3E%20%26%20%7B0%7D%20%1B%5B31m%0D%0A%3A%3Aerror%3A%3Ah%5Cni%20%E2%80%AE%60j%60.conf"
              },
              "region": {
                "startLine": 1,
                "snippet": {
                  "text": "a\"b'c,d|e](f) %41 <g> & {0} �[31m \n::error::h\\ni �`j`"
                }
              }
            },
            "logicalLocations": [
              {
                "name": "a\"b'c,d|e](f) %41 <g> & {0} �[31m \n::error::h\\ni �`j`",
                "fullyQualifiedName": "a\"b'c,d|e](f) %41 <g> & {0} �[31m \n::error::h\\ni �`j`",
                "kind": "resource"
              }
            ]
          }
        ],
        "partialFingerprints": {
          "sysctlAdvisorRemark/v1": "1c2d42ee8a9185be"
        },
        "properties": {
          "origin": "rule",
          "key": "a\"b'c,d|e](f) %41 <g> & {0} �[31m \n::error::h\\ni �`j`",
          "cause": null
        }
      }
    ]
    "#);
    insta::assert_snapshot!(serde_json::to_string_pretty(&run["tool"]["driver"]["rules"][3]).unwrap(), @r#"
    {
      "id": "timestamps-off",
      "shortDescription": {
        "text": "Without timestamps there is no PAWS."
      },
      "fullDescription": {
        "text": "Without timestamps there is no PAWS. A second sentence."
      },
      "help": {
        "text": "Without timestamps there is no PAWS. A second sentence.\n`sysctl-advisor explain timestamps-off` has more.\nhttps://docs.kernel.org/networking/ip-sysctl.html"
      },
      "defaultConfiguration": {
        "level": "error"
      },
      "properties": {
        "kind": "rule",
        "references": [
          "https://docs.kernel.org/networking/ip-sysctl.html"
        ]
      }
    }
    "#);
    insta::assert_snapshot!(run["invocations"][0].to_string(), @r#"
    {"executionSuccessful":true,"endTimeUtc":"2026-01-01T00:00:00Z","toolExecutionNotifications":[{"descriptor":{"id":"not-read"},"level":"note","message":{"text":"net.ipv4.tcp_fastopen_key could not be read: Permission denied."}},{"descriptor":{"id":"not-read"},"level":"note","message":{"text":"surroundings could not be read: /proc/1/comm: Permission denied"}}]}
    "#);
    insta::assert_snapshot!(run["properties"].to_string(), @r#"
    {"command":"drift","about":"The files as systemd-sysctl loads them, compared with the host","observedAt":"2026-01-01T00:00:00Z","hostname":"web-1","kernel":"6.12.0","keys":5,"files":2}
    "#);
}

#[test]
fn junit_reads_so() {
    insta::assert_snapshot!(shown("junit"), @r#"
    <?xml version="1.0" encoding="UTF-8"?>
    <testsuites>
    <testsuite name="sysctl-advisor" tests="9" failures="5" errors="0" skipped="2" hostname="web-1" timestamp="2026-01-01T00:00:00Z" time="0">
    <properties>
    <property name="version" value="0.1.0"/>
    <property name="about" value="The files as systemd-sysctl loads them, compared with the host"/>
    <property name="kernel" value="6.12.0"/>
    </properties>
    <testcase classname="sysctl-advisor.not-read" name="surroundings" time="0"><skipped message="could not be read: /proc/1/comm: Permission denied"/></testcase>
    <testcase classname="sysctl-advisor.drift.key" name="a&quot;b'c,d|e](f) %41 &lt;g&gt; &amp; {0} �[31m ::error::h\ni �`j`" time="0"><failure type="critical" message="timestamps-off: a&quot;b'c,d|e](f) %41 &lt;g&gt; &amp; {0} �[31m ::error::h\ni �`j`">conf/a&quot;b'c,d|e](f) %41 &lt;g&gt; &amp; {0} �[31m ::error::h\ni �`j`.conf:1: CRITICAL timestamps-off
    a&quot;b'c,d|e](f) %41 &lt;g&gt; &amp; {0} �[31m ::error::h\ni �`j` is harmful.
    Line: a&quot;b'c,d|e](f) %41 &lt;g&gt; &amp; {0} �[31m ::error::h\ni �`j`
    Without timestamps there is no PAWS. A second sentence.
    `sysctl-advisor explain timestamps-off` has more.
    Source: https://docs.kernel.org/networking/ip-sysctl.html</failure></testcase>
    <testcase classname="sysctl-advisor.drift.key" name="net.core.somaxconn" time="0"><failure type="warning" message="duplicates disagree: net.core.somaxconn">conf/90-tuning.conf:3: WARNING duplicates_disagree
    net.core.somaxconn is set to `128` here and to `4096` in line 9, which overrides this line.
    Line: net.core.somaxconn = 128
    Two lines of one file set the key to different values, and only the last one is effective. Remove one of them.
    `sysctl-advisor explain net.core.somaxconn` has more.</failure></testcase>
    <testcase classname="sysctl-advisor.drift.key" name="net.ipv4.tcp_fastopen_key" time="0"><skipped message="could not be read: Permission denied."/></testcase>
    <testcase classname="sysctl-advisor.drift.key" name="net.ipv4.tcp_fin_timeout" time="0"><failure type="warning" message="not in force: net.ipv4.tcp_fin_timeout">conf/90-tuning.conf:12: WARNING not_in_force
    The files set `30`, and the value is `60`. The file was changed 5 min after the boot.
    Line: net.ipv4.tcp_fin_timeout = 30
    A file sets the key, and the kernel has another value. Load the files again, or find what writes the key after them.
    `sysctl-advisor explain net.ipv4.tcp_fin_timeout` has more.</failure></testcase>
    <testcase classname="sysctl-advisor.drift.key" name="net.ipv4.tcp_rmem" time="0"></testcase>
    <testcase classname="sysctl-advisor.drift.key" name="net.ipv4.tcp_sack" time="0"><failure type="notice" message="runtime only: net.ipv4.tcp_sack">NOTICE runtime_only
    The value is `0`. No file sets it.
    The value was set at runtime, and a reboot reverts it. Write it to a file if it is to stay.
    `sysctl-advisor explain net.ipv4.tcp_sack` has more.</failure></testcase>
    <testcase classname="sysctl-advisor.drift.file" name="conf/90-tuning.conf" time="0"><failure type="warning" message="world writable">conf/90-tuning.conf: WARNING world_writable
    Every user can write this file.
    Every user can change what root writes to the kernel at the next boot. Remove the permission to write.</failure></testcase>
    <testcase classname="sysctl-advisor.drift.file" name="conf/empty.conf" time="0"></testcase>
    </testsuite>
    </testsuites>
    "#);
}

#[test]
fn github_reads_so() {
    let text = shown("github");
    assert!(text.lines().all(|line| line.starts_with("::")), "{text}");
    insta::assert_snapshot!(text, @r#"
    ::error file=conf/a"b'c%2Cd|e](f) %2541 <g> & {0} �[31m %3A%3Aerror%3A%3Ah\ni �`j`.conf,line=1,title=timestamps-off%3A a"b'c%2Cd|e](f) %2541 <g> & {0} �[31m %3A%3Aerror%3A%3Ah\ni �`j`::a"b'c,d|e](f) %2541 <g> & {0} �[31m ::error::h\ni �`j` is harmful.%0AWithout timestamps there is no PAWS. A second sentence.%0A`sysctl-advisor explain timestamps-off` has more.
    ::warning file=conf/90-tuning.conf,line=1,title=world writable::Every user can write this file.%0AEvery user can change what root writes to the kernel at the next boot. Remove the permission to write.
    ::warning file=conf/90-tuning.conf,line=3,col=1,endColumn=24,title=duplicates disagree%3A net.core.somaxconn::net.core.somaxconn is set to `128` here and to `4096` in line 9, which overrides this line.%0ATwo lines of one file set the key to different values, and only the last one is effective. Remove one of them.%0A`sysctl-advisor explain net.core.somaxconn` has more.
    ::warning file=conf/90-tuning.conf,line=12,col=3,endColumn=31,title=not in force%3A net.ipv4.tcp_fin_timeout::The files set `30`, and the value is `60`. The file was changed 5 min after the boot.%0AA file sets the key, and the kernel has another value. Load the files again, or find what writes the key after them.%0A`sysctl-advisor explain net.ipv4.tcp_fin_timeout` has more.
    ::notice title=runtime only%3A net.ipv4.tcp_sack::The value is `0`. No file sets it.%0AThe value was set at runtime, and a reboot reverts it. Write it to a file if it is to stay.%0A`sysctl-advisor explain net.ipv4.tcp_sack` has more.
    ::debug::net.ipv4.tcp_fastopen_key could not be read: Permission denied.
    ::debug::surroundings could not be read: /proc/1/comm: Permission denied
    ::notice title=sysctl-advisor drift::1 critical, 3 warnings, 1 notice; 5 keys and 2 files were examined, 2 things could not be read.%0AThe files as systemd-sysctl loads them, compared with the host.
    "#);
}

#[test]
fn gitlab_reads_so() {
    let text = shown("gitlab");
    let issues: Vec<Json> = serde_json::from_str(&text).unwrap();
    let prints: BTreeSet<&str> = issues.iter().map(|issue| issue["fingerprint"].as_str().unwrap()).collect();
    assert_eq!(prints.len(), issues.len());
    insta::assert_snapshot!(text, @r#"
    [
      {
        "description": "Every user can write this file.",
        "check_name": "world_writable",
        "fingerprint": "53bbe42efa6001f8",
        "severity": "major",
        "location": {
          "path": "conf/90-tuning.conf",
          "lines": {
            "begin": 1
          }
        }
      },
      {
        "description": "net.core.somaxconn is set to `128` here and to `4096` in line 9, which overrides this line.",
        "check_name": "duplicates_disagree",
        "fingerprint": "74e24b38555dd0aa",
        "severity": "major",
        "location": {
          "path": "conf/90-tuning.conf",
          "lines": {
            "begin": 3
          }
        }
      },
      {
        "description": "net.ipv4.tcp_fin_timeout: The files set `30`, and the value is `60`. The file was changed 5 min after the boot.",
        "check_name": "not_in_force",
        "fingerprint": "2fdf4920ec993bc0",
        "severity": "major",
        "location": {
          "path": "conf/90-tuning.conf",
          "lines": {
            "begin": 12
          }
        }
      },
      {
        "description": "a\"b'c,d|e](f) %41 <g> & {0} �[31m ::error::h\\ni �`j` is harmful.",
        "check_name": "timestamps-off",
        "fingerprint": "1c2d42ee8a9185be",
        "severity": "critical",
        "location": {
          "path": "conf/a\"b'c,d|e](f) %41 <g> & {0} �[31m ::error::h\\ni �`j`.conf",
          "lines": {
            "begin": 1
          }
        }
      },
      {
        "description": "net.ipv4.tcp_sack: The value is `0`. No file sets it.",
        "check_name": "runtime_only",
        "fingerprint": "7a443f0a82112764",
        "severity": "minor",
        "location": {
          "path": "/proc/sys/net/ipv4/tcp_sack",
          "lines": {
            "begin": 1
          }
        }
      }
    ]
    "#);
}

#[test]
fn csv_reads_so() {
    let text = shown("csv");
    assert_eq!(text.lines().count(), example().remarks.len() + 1);
    assert_eq!(written("csv", &nothing()).lines().count(), 2);
    insta::assert_snapshot!(text, @r#"
    command,observed_at,hostname,kernel,program_version,about,critical,warning,notice,keys,files,not_read,severity,code,origin,cause,key,file,line,column,end_column,line_text,text,explanation,references,fingerprint
    drift,2026-01-01T00:00:00Z,web-1,6.12.0,0.1.0,"The files as systemd-sysctl loads them, compared with the host",1,3,1,5,2,2,warning,world_writable,file,,,conf/90-tuning.conf,,,,,Every user can write this file.,Every user can change what root writes to the kernel at the next boot. Remove the permission to write.,,53bbe42efa6001f8
    drift,2026-01-01T00:00:00Z,web-1,6.12.0,0.1.0,"The files as systemd-sysctl loads them, compared with the host",1,3,1,5,2,2,warning,duplicates_disagree,file,,net.core.somaxconn,conf/90-tuning.conf,3,1,25,net.core.somaxconn = 128,"net.core.somaxconn is set to `128` here and to `4096` in line 9, which overrides this line.","Two lines of one file set the key to different values, and only the last one is effective. Remove one of them.",,74e24b38555dd0aa
    drift,2026-01-01T00:00:00Z,web-1,6.12.0,0.1.0,"The files as systemd-sysctl loads them, compared with the host",1,3,1,5,2,2,warning,not_in_force,status,file_changed_since,net.ipv4.tcp_fin_timeout,conf/90-tuning.conf,12,3,32,net.ipv4.tcp_fin_timeout = 30,"The files set `30`, and the value is `60`. The file was changed 5 min after the boot.","A file sets the key, and the kernel has another value. Load the files again, or find what writes the key after them.",,2fdf4920ec993bc0
    drift,2026-01-01T00:00:00Z,web-1,6.12.0,0.1.0,"The files as systemd-sysctl loads them, compared with the host",1,3,1,5,2,2,critical,timestamps-off,rule,,"a""b'c,d|e](f) %41 <g> & {0} �[31m ::error::h\ni �`j`","conf/a""b'c,d|e](f) %41 <g> & {0} �[31m ::error::h\ni �`j`.conf",1,,,"a""b'c,d|e](f) %41 <g> & {0} �[31m ::error::h\ni �`j`","a""b'c,d|e](f) %41 <g> & {0} �[31m ::error::h\ni �`j` is harmful.",Without timestamps there is no PAWS. A second sentence.,https://docs.kernel.org/networking/ip-sysctl.html,1c2d42ee8a9185be
    drift,2026-01-01T00:00:00Z,web-1,6.12.0,0.1.0,"The files as systemd-sysctl loads them, compared with the host",1,3,1,5,2,2,notice,runtime_only,status,not_persisted,net.ipv4.tcp_sack,,,,,,The value is `0`. No file sets it.,"The value was set at runtime, and a reboot reverts it. Write it to a file if it is to stay.",,7a443f0a82112764
    "#);
}

#[test]
fn ndjson_reads_so() {
    insta::assert_snapshot!(shown("ndjson"), @r#"
    {"schema":"sysctl-advisor/check/1","command":"drift","observed_at":"2026-01-01T00:00:00Z","hostname":"web-1","host_id":"0123456789abcdef0123456789abcdef","labels":[{"name":"role","value":"web"}],"kernel":"6.12.0","program_version":"0.1.0","about":"The files as systemd-sysctl loads them, compared with the host","critical":1,"warning":3,"notice":1,"keys":5,"files":["conf/90-tuning.conf","conf/empty.conf"],"not_read":[{"what":"net.ipv4.tcp_fastopen_key","why":"Permission denied."},{"what":"surroundings","why":"/proc/1/comm: Permission denied"}]}
    {"schema":"sysctl-advisor/remark/1","command":"drift","observed_at":"2026-01-01T00:00:00Z","hostname":"web-1","host_id":"0123456789abcdef0123456789abcdef","labels":[{"name":"role","value":"web"}],"kernel":"6.12.0","severity":"warning","code":"world_writable","origin":"file","cause":"","key":"","file":"conf/90-tuning.conf","line":0,"column":0,"end_column":0,"line_text":"","text":"Every user can write this file.","explanation":"Every user can change what root writes to the kernel at the next boot. Remove the permission to write.","references":[],"fingerprint":"53bbe42efa6001f8"}
    {"schema":"sysctl-advisor/remark/1","command":"drift","observed_at":"2026-01-01T00:00:00Z","hostname":"web-1","host_id":"0123456789abcdef0123456789abcdef","labels":[{"name":"role","value":"web"}],"kernel":"6.12.0","severity":"warning","code":"duplicates_disagree","origin":"file","cause":"","key":"net.core.somaxconn","file":"conf/90-tuning.conf","line":3,"column":1,"end_column":25,"line_text":"net.core.somaxconn = 128","text":"net.core.somaxconn is set to `128` here and to `4096` in line 9, which overrides this line.","explanation":"Two lines of one file set the key to different values, and only the last one is effective. Remove one of them.","references":[],"fingerprint":"74e24b38555dd0aa"}
    {"schema":"sysctl-advisor/remark/1","command":"drift","observed_at":"2026-01-01T00:00:00Z","hostname":"web-1","host_id":"0123456789abcdef0123456789abcdef","labels":[{"name":"role","value":"web"}],"kernel":"6.12.0","severity":"warning","code":"not_in_force","origin":"status","cause":"file_changed_since","key":"net.ipv4.tcp_fin_timeout","file":"conf/90-tuning.conf","line":12,"column":3,"end_column":32,"line_text":"  net.ipv4.tcp_fin_timeout = 30 ","text":"The files set `30`, and the value is `60`. The file was changed 5 min after the boot.","explanation":"A file sets the key, and the kernel has another value. Load the files again, or find what writes the key after them.","references":[],"fingerprint":"2fdf4920ec993bc0"}
    {"schema":"sysctl-advisor/remark/1","command":"drift","observed_at":"2026-01-01T00:00:00Z","hostname":"web-1","host_id":"0123456789abcdef0123456789abcdef","labels":[{"name":"role","value":"web"}],"kernel":"6.12.0","severity":"critical","code":"timestamps-off","origin":"rule","cause":"","key":"a\"b'c,d|e](f) %41 <g> & {0} \u001b[31m\r\n::error::h\\ni ?`j`","file":"conf/a\"b'c,d|e](f) %41 <g> & {0} \u001b[31m\r\n::error::h\\ni ?`j`.conf","line":1,"column":0,"end_column":0,"line_text":"a\"b'c,d|e](f) %41 <g> & {0} \u001b[31m\r\n::error::h\\ni ?`j`","text":"a\"b'c,d|e](f) %41 <g> & {0} \u001b[31m\r\n::error::h\\ni ?`j` is harmful.","explanation":"Without timestamps there is no PAWS. A second sentence.","references":["https://docs.kernel.org/networking/ip-sysctl.html"],"fingerprint":"1c2d42ee8a9185be"}
    {"schema":"sysctl-advisor/remark/1","command":"drift","observed_at":"2026-01-01T00:00:00Z","hostname":"web-1","host_id":"0123456789abcdef0123456789abcdef","labels":[{"name":"role","value":"web"}],"kernel":"6.12.0","severity":"notice","code":"runtime_only","origin":"status","cause":"not_persisted","key":"net.ipv4.tcp_sack","file":"","line":0,"column":0,"end_column":0,"line_text":"","text":"The value is `0`. No file sets it.","explanation":"The value was set at runtime, and a reboot reverts it. Write it to a file if it is to stay.","references":[],"fingerprint":"7a443f0a82112764"}
    "#);
}

#[test]
fn the_checks_read_so() {
    insta::assert_snapshot!(shown("nagios"), @r#"
    SYSCTL CRITICAL - 1 critical, 3 warnings, 1 notice: timestamps-off: a"b'c,d/e](f) %41 <g> & {0} �[31m ::error::h/ni �`j` | 'critical'=1;;0;0; 'warning'=3;0;;0; 'notice'=1;;;0; 'keys'=5;;;0; 'files'=2;;;0; 'not read'=2;;;0;
    The files as systemd-sysctl loads them, compared with the host
    CRITICAL timestamps-off: a"b'c,d/e](f) %41 <g> & {0} �[31m ::error::h/ni �`j` (conf/a"b'c,d/e](f) %41 <g> & {0} �[31m ::error::h/ni �`j`.conf:1): a"b'c,d/e](f) %41 <g> & {0} �[31m ::error::h/ni �`j` is harmful.
    WARNING world writable (conf/90-tuning.conf): Every user can write this file.
    WARNING duplicates disagree: net.core.somaxconn (conf/90-tuning.conf:3): net.core.somaxconn is set to `128` here and to `4096` in line 9, which overrides this line.
    WARNING not in force: net.ipv4.tcp_fin_timeout (conf/90-tuning.conf:12): The files set `30`, and the value is `60`. The file was changed 5 min after the boot.
    NOTICE runtime only: net.ipv4.tcp_sack: The value is `0`. No file sets it.
    "#);
    insta::assert_snapshot!(shown("checkmk"), @r#"
    2 "Sysctl advisor drift" critical=1|warning=3|notice=1|keys=5|files=2|not_read=2 1 critical, 3 warnings, 1 notice: timestamps-off: a"b'c,d/e](f) %41 <g> & {0} �[31m ::error::h/ni �`j`\nThe files as systemd-sysctl loads them, compared with the host\nCRITICAL timestamps-off: a"b'c,d/e](f) %41 <g> & {0} �[31m ::error::h/ni �`j` (conf/a"b'c,d/e](f) %41 <g> & {0} �[31m ::error::h/ni �`j`.conf:1): a"b'c,d/e](f) %41 <g> & {0} �[31m ::error::h/ni �`j` is harmful.\nWARNING world writable (conf/90-tuning.conf): Every user can write this file.\nWARNING duplicates disagree: net.core.somaxconn (conf/90-tuning.conf:3): net.core.somaxconn is set to `128` here and to `4096` in line 9, which overrides this line.\nWARNING not in force: net.ipv4.tcp_fin_timeout (conf/90-tuning.conf:12): The files set `30`, and the value is `60`. The file was changed 5 min after the boot.\nNOTICE runtime only: net.ipv4.tcp_sack: The value is `0`. No file sets it.
    "#);
    let many = Remarks { remarks: vec![Remark { text: "ü|".repeat(500), ..remark() }; 1000], ..example() };
    let text = written("nagios", &many);
    assert!((2000..4096).contains(&text.len()) && text.matches('|').count() == 1, "{text}");
    assert_eq!(written("checkmk", &many).lines().count(), 1);
}

#[test]
fn markdown_reads_so_and_a_stranger_s_words_are_no_marks() {
    let text = shown("markdown");
    let marks =
        Parser::new_ext(&text, Options::ENABLE_TABLES | Options::ENABLE_STRIKETHROUGH).filter(|event| match event {
            Event::Html(_) | Event::InlineHtml(_) => true,
            Event::Start(tag) => matches!(tag, Tag::Link { .. } | Tag::Image { .. } | Tag::Emphasis | Tag::HtmlBlock),
            _ => false,
        });
    assert_eq!(marks.collect::<Vec<_>>(), []);
    insta::assert_snapshot!(text, @r#"
    # sysctl-advisor drift on web-1 at 2026-01-01T00:00:00Z

    **1 critical, 3 warnings, 1 notice.**

    The files as systemd-sysctl loads them, compared with the host. 5 keys and 2 files were examined, 2 things could not be read.

    ## `conf/90-tuning.conf`

    - **WARNING** (world_writable)
      - Every user can write this file.
      - Every user can change what root writes to the kernel at the next boot. Remove the permission to write.
    - **WARNING** line 3: `net.core.somaxconn` (duplicates_disagree)
      - `net.core.somaxconn = 128`
      - net.core.somaxconn is set to `128` here and to `4096` in line 9, which overrides this line.
      - Two lines of one file set the key to different values, and only the last one is effective. Remove one of them.
    - **WARNING** line 12: `net.ipv4.tcp_fin_timeout` (not_in_force)
      - `net.ipv4.tcp_fin_timeout = 30`
      - The files set `30`, and the value is `60`. The file was changed 5 min after the boot.
      - A file sets the key, and the kernel has another value. Load the files again, or find what writes the key after them.

    ## ``conf/a"b'c,d|e](f) %41 <g> & {0} �[31m ::error::h\ni �`j`.conf``

    - **CRITICAL** line 1: `` a"b'c,d|e](f) %41 <g> & {0} �[31m ::error::h\ni �`j` `` (timestamps-off)
      - `` a"b'c,d|e](f) %41 <g> & {0} �[31m ::error::h\ni �`j` ``
      - a"b'c,d|e\](f) %41 \<g> & {0} �[31m ::error::h\\ni �`j` is harmful.
      - Without timestamps there is no PAWS. A second sentence.
      - `https://docs.kernel.org/networking/ip-sysctl.html`

    ## Set at runtime only

    - **NOTICE** `net.ipv4.tcp_sack` (runtime_only)
      - The value is `0`. No file sets it.
      - The value was set at runtime, and a reboot reverts it. Write it to a file if it is to stay.

    ## Could not be read

    - `net.ipv4.tcp_fastopen_key`: Permission denied.
    - `surroundings`: /proc/1/comm: Permission denied
    "#);
}
