//! Several network namespaces looked at by one run of the real binary. What it can find is bounded by mounts and process
//! numbers of the test's own, so that no other test's namespace gets in between. Root is needed.

#![allow(clippy::unwrap_used, clippy::expect_used, reason = "helpers of tests are not in a #[test] function")]

use std::io::{BufRead, BufReader};
use std::process::{Child, Command, Stdio};
use std::sync::mpsc;
use std::time::Duration;

use super::apply::scene::{Run, Scene, finish};
use crate::support::{Lab, close, listen, wait_until};
use serde_json::Value as Json;
use sysctl_advisor::host::Host;
use sysctl_advisor::host::netns::{Which, own_id};
use sysctl_advisor::observe::{owners, sockets, sysctls};
use sysctl_advisor::snapshot::{FirstReading, capture};

const BINARY: &str = env!("CARGO_BIN_EXE_sysctl-advisor");

/// A process of the scene in the calling thread's network namespace, with the number that it has there.
struct Resident(Child, String);

impl Resident {
    fn new(scene: &Scene) -> Self {
        let mut child =
            scene.inside("sh").args(["-c", "echo $$; exec sleep 600"]).stdout(Stdio::piped()).spawn().unwrap();
        let mut number = String::new();
        BufReader::new(child.stdout.take().unwrap()).read_line(&mut number).unwrap();
        Self(child, number.trim_end().to_owned())
    }
}

impl Drop for Resident {
    fn drop(&mut self) {
        let _ = self.0.kill();
        let _ = self.0.wait();
    }
}

/// Keeps a second lab, with a resident of the scene in it, while `measure` runs, which is given the resident's number.
fn beside<T>(
    scene: &Scene,
    fault: impl FnOnce(&Lab) -> Box<dyn std::any::Any> + Send,
    measure: impl FnOnce(&str) -> T,
) -> T {
    let (ready, number) = mpsc::channel();
    let (stop, stopped) = mpsc::channel::<()>();
    std::thread::scope(|scope| {
        scope.spawn(move || {
            let lab = Lab::enter();
            let resident = Resident::new(scene);
            let _fault = fault(&lab);
            ready.send(resident.1.clone()).unwrap();
            let _ = stopped.recv();
        });
        let number = number.recv().expect("the second lab could not be made");
        let measured = measure(&number);
        drop(stop);
        measured
    })
}

fn run(scene: &Scene, arguments: &[&str]) -> Run {
    finish(scene.inside(BINARY).args(arguments))
}

fn audit(scene: &Scene, arguments: &[&str]) -> Json {
    let run = run(scene, &[&["audit", "--format", "json"], arguments].concat());
    assert_eq!(run.code, Some(0), "{run:?}");
    serde_json::from_str(&run.out).unwrap()
}

fn names(report: &Json) -> Vec<&str> {
    report["namespaces"].as_array().unwrap().iter().map(|namespace| namespace["name"].as_str().unwrap()).collect()
}

/// Namespaces in which a rule fires.
fn where_fires<'a>(report: &'a Json, rule: &str) -> Vec<&'a str> {
    let findings = report["findings"].as_array().unwrap().iter();
    findings.filter(|found| found["rule"] == rule).map(|found| found["namespace"].as_str().unwrap()).collect()
}

fn gaps(report: &Json) -> String {
    let gaps = report["gaps"].as_array().unwrap().iter().filter(|gap| gap["what"] == "netns");
    gaps.map(|gap| gap["why"].as_str().unwrap().to_owned() + "\n").collect()
}

const SOON: [&str; 4] = ["--window", "2s", "--param", "close-wait-leak.seconds=1"];

#[test]
fn faults_in_two_namespaces_are_found_at_once_each_where_it_is_and_a_healthy_one_is_quiet() {
    let scene = Scene::enter();
    scene.add_namespace("green");
    let _leak = close::close_wait(&scene.lab, "10.2.0.1:8080", 120);
    std::thread::sleep(Duration::from_millis(1200));
    let fault = |lab: &Lab| -> Box<dyn std::any::Any> { Box::new(listen::overflow(lab, "10.2.0.1:80", 4, 20)) };
    beside(&scene, fault, |number| {
        let by_number = format!("pid {number} (sleep)");
        let report = audit(&scene, &[&SOON[..], &["--netns", "all"]].concat());
        assert_eq!(names(&report), ["current", "green", &by_number], "{report:#}");
        assert_eq!(where_fires(&report, "close-wait-leak"), ["current"]);
        assert_eq!(where_fires(&report, "accept-queue-not-drained"), [by_number.as_str()]);
        let of_green = |list: &str| {
            let all = report[list].as_array().unwrap().iter();
            all.filter(|entry| entry["namespace"] == "green").cloned().collect::<Vec<_>>()
        };
        assert_eq!(of_green("findings"), [] as [Json; 0]);
        assert_eq!(of_green("skipped"), [] as [Json; 0], "what can be checked there was checked");
        assert_eq!(gaps(&report), "");
        let sockets: Vec<u64> =
            (0..3).map(|place| report["namespaces"][place]["tcp"]["CLOSE_WAIT"].as_u64().unwrap()).collect();
        assert_eq!(sockets[..2], [120, 0]);

        // A name that comes later is the better one.
        scene.shell(&format!("ip netns attach blue {number}"));
        let report = audit(&scene, &[&SOON[..], &["--netns", "blue"]].concat());
        assert_eq!(names(&report), ["blue"]);
        assert_eq!(where_fires(&report, "accept-queue-not-drained"), ["blue"]);
        assert_eq!(where_fires(&report, "close-wait-leak"), [] as [&str; 0]);
        let same = audit(&scene, &["--window", "0", "--netns", number]);
        assert_eq!(names(&same), ["blue"], "the number of a process finds the same");
        assert_eq!(same["namespaces"][0]["id"], report["namespaces"][0]["id"]);

        let text = run(&scene, &[&["audit", "--full", "--netns", "all"][..], &SOON].concat()).out;
        assert!(text.lines().all(|line| line.chars().count() <= 80), "{text}");
        for told in
            ["where     blue", "where     this network namespace", "TCP sockets of blue:", "TCP sockets of green: 0\n"]
        {
            assert!(text.contains(told), "{told}: {text}");
        }
    });
}

#[test]
fn one_window_serves_all_namespaces_and_counters_are_compared_with_their_own() {
    let scene = Scene::enter();
    (1..=12).for_each(|number| scene.add_namespace(&format!("ns{number}")));
    let run = run(&scene, &["snapshot", "--netns", "all", "--window", "2s"]);
    let snapshot: Json = serde_json::from_str(&run.out).unwrap();
    let seconds = snapshot["window"]["seconds"].as_f64().unwrap();
    assert!((2.0..26.0).contains(&seconds), "thirteen windows are 26 s, and this is {seconds}");
    let namespaces = snapshot["namespaces"].as_array().unwrap();
    assert_eq!(namespaces.len(), 13);
    for namespace in namespaces {
        assert!(namespace["counters_before"]["TcpExt"].is_object() && namespace["sockets"].is_object());
        let sysctl = |key: &str| namespace["sysctls"][key].as_str();
        assert!(sysctl("net.core.somaxconn").is_some() && sysctl("fs.nr_open").is_some());
        assert_eq!(sysctl("net.ipv4.tcp_mem"), None, "the machine's own keys are the host's");
    }
}

#[test]
fn a_name_that_does_not_exist_lists_those_that_do_and_one_that_is_no_namespace_says_so() {
    let scene = Scene::enter();
    scene.add_namespace("blue");
    for command in ["audit", "snapshot", "plan", "drift"] {
        let run = run(&scene, &[command, "--netns", "green"]);
        assert_eq!(run.code, Some(2), "{command}: {run:?}");
        assert!(run.err.contains("no network namespace `green`") && run.err.contains("current, blue"), "{run:?}");
    }
    let drift = run(&scene, &["drift", "--netns", "1", "--format", "json"]);
    assert_eq!(drift.code, Some(0), "process 1 of the scene is in the lab: {drift:?}");
    // What `ip netns` leaves behind where its mount was undone.
    scene.shell("touch /run/netns/stale");
    let stale = run(&scene, &["audit", "--netns", "stale"]);
    assert!(stale.code == Some(3) && stale.err.contains("no namespace is mounted at"), "{stale:?}");
    assert!(gaps(&audit(&scene, &["--netns", "all", "--window", "0"])).contains("stale: no namespace is mounted at"));
}

#[test]
fn without_privilege_the_other_namespaces_are_told_as_gaps() {
    let scene = Scene::enter();
    scene.add_namespace("blue");
    let nothing = |_: &Lab| -> Box<dyn std::any::Any> { Box::new(()) };
    beside(&scene, nothing, |number| {
        let as_nobody = |which: &str| {
            let drop = ["--reuid", "65534", "--regid", "65534", "--clear-groups", "--bounding-set=-all", BINARY];
            let what = ["audit", "--window", "0", "--format", "json", "--netns", which];
            finish(scene.inside("setpriv").args(drop).args(what))
        };
        let run = as_nobody("all");
        assert_eq!(run.code, Some(0), "{run:?}");
        let report: Json = serde_json::from_str(&run.out).unwrap();
        assert_eq!(names(&report), ["current"]);
        let told = gaps(&report);
        assert!(told.contains("blue: Operation not permitted"), "{told}");
        assert!(told.contains(&format!("pid {number} (sleep): Permission denied")), "{told}");
        let whole = "\"all_namespaces\": true";
        let drop = ["--reuid", "65534", "--regid", "65534", "--clear-groups", "--bounding-set=-all", BINARY];
        let what = ["snapshot", "--window", "0", "--netns", "all"];
        assert!(!finish(scene.inside("setpriv").args(drop).args(what)).out.contains(whole), "some are missing");
        assert!(self::run(&scene, &what).out.contains(whole), "root sees all");
        for which in ["blue", number] {
            let run = as_nobody(which);
            assert!(run.code == Some(3) && run.err.contains("cannot enter the network namespace"), "{run:?}");
        }
    });
}

#[test]
fn names_are_unique_and_a_hostile_process_name_is_harmless() {
    let scene = Scene::enter();
    scene.add_namespace("host");
    let script = "printf 'a\\033[2J)\\n' > /proc/self/comm; echo $$; exec 9</dev/null; while :; do sleep 1; done";
    let mut hostile = scene.inside("unshare");
    let mut hostile = hostile.args(["--net", "sh", "-c", script]).stdout(Stdio::piped()).spawn().unwrap();
    let mut number = String::new();
    BufReader::new(hostile.stdout.take().unwrap()).read_line(&mut number).unwrap();
    let report = audit(&scene, &["--netns", "all", "--window", "0"]);
    hostile.kill().unwrap();
    hostile.wait().unwrap();
    let names = names(&report);
    assert_eq!(names[0], "current");
    assert!(names[1].starts_with("host net:["), "only the machine's first is called host: {names:?}");
    assert_eq!(names[2], format!("pid {} (a?[2J))", number.trim_end()));
}

/// The reading thread is in the other namespace, the process's first one is not.
#[test]
fn the_tables_of_iptables_are_those_of_the_namespace_they_are_in() {
    let scene = Scene::enter();
    let with_table = |_: &Lab| -> Box<dyn std::any::Any> {
        let made = Command::new("iptables-legacy").args(["-t", "nat", "-L"]).output().unwrap();
        assert!(made.status.success(), "{made:?}");
        Box::new(())
    };
    beside(&scene, with_table, |number| {
        let has_table = |which: &str| {
            let run = run(&scene, &["snapshot", "--netns", which, "--window", "0"]);
            let snapshot: Json = serde_json::from_str(&run.out).unwrap();
            let of = |namespace: &Json| namespace["topology"]["translation"]["iptables"].as_bool().unwrap();
            snapshot["namespaces"].as_array().unwrap().iter().map(of).collect::<Vec<_>>()
        };
        let all = has_table("all");
        assert_eq!((all[0], all.iter().filter(|has| **has).count()), (false, 1));
        assert_eq!(has_table(number), [true]);
    });
}

#[test]
fn the_process_is_where_it_was_after_a_snapshot_of_another_namespace() {
    let home = Lab::enter();
    let mut resident = home.far.inside(|| Command::new("sleep").arg("600").spawn().unwrap());
    let (thread, process) = (own_id(&Host::live()), std::fs::read_link("/proc/self/ns/net").unwrap());
    let which = Which::Named(resident.id().to_string());
    let taken = capture::capture(
        &Host::live(),
        &which,
        Duration::from_millis(100),
        &FirstReading::default().into(),
        std::thread::sleep,
    );
    let _ = resident.kill();
    let _ = resident.wait();
    let namespace = taken.unwrap().namespaces.remove(0);
    assert_ne!(Some(&namespace.id), thread.as_ref());
    assert_eq!(namespace.sysctls["net.core.somaxconn"], "65535", "as the far host has it");
    assert_eq!(own_id(&Host::live()), thread);
    assert_eq!(std::fs::read_link("/proc/self/ns/net").unwrap(), process);
    assert_ne!(home.sysctl("net.core.somaxconn"), "65535");
}

#[test]
fn a_plan_for_two_namespaces_is_made_and_carried_out() {
    let scene = Scene::enter();
    scene.cover_names();
    scene.lab.set("net.ipv4.tcp_sack", "0");
    let without_sack = |lab: &Lab| -> Box<dyn std::any::Any> {
        lab.set("net.ipv4.tcp_sack", "0");
        Box::new(())
    };
    beside(&scene, without_sack, |number| {
        scene.shell(&format!("ip netns attach blue {number}"));
        let file = scene.folder.path().join("plan.json").to_str().unwrap().to_owned();
        let made =
            run(&scene, &["plan", "--only", "net.ipv4.tcp_sack", "--window", "0", "--netns", "all", "-o", &file]);
        assert_eq!(made.code, Some(0), "{made:?}");
        let places = ["In this network namespace", "In the network namespace blue"];
        let found: Vec<_> = places.iter().map(|place| made.out.find(place)).collect();
        assert!(found[0].is_some() && found[0] < found[1], "{}", made.out);
        assert_eq!(made.out.matches("Accepts it: tried in a scratch namespace.").count(), 2, "{}", made.out);
        let applied = scene.ok(&["apply", &file, "--yes"]);
        assert!(applied.out.contains("Change 2 in blue is effective"), "{applied:?}");
        assert_eq!(scene.lab.sysctl("net.ipv4.tcp_sack"), "1");
        assert_eq!(scene.sysctl_in("blue", "net.ipv4.tcp_sack"), "1");
        let again = audit(&scene, &["--window", "0", "--netns", "all"]);
        assert_eq!(where_fires(&again, "sack-off"), [] as [&str; 0]);
    });
}

#[test]
fn one_pass_over_the_open_files_finds_the_owners_in_each_namespace() {
    let lab = Lab::enter();
    let _near = close::close_wait(&lab, "10.2.0.1:8080", 20);
    let listener = lab.far.listen("10.2.0.2:9100".parse().unwrap());
    let _far: Vec<_> = (0..30)
        .map(|_| {
            drop(std::net::TcpStream::connect("10.2.0.2:9100").unwrap());
            listener.accept().unwrap().0
        })
        .collect();
    let look = || {
        let (sysctls, _) = sysctls::read(&Host::live());
        sockets::read(&Host::live(), &sysctls, None, None).unwrap().0
    };
    wait_until("all are in CLOSE_WAIT", || lab.far.inside(|| lab.ss(&["-tanH", "state", "close-wait"]).len()) == 30);
    let found = owners::find(&Host::live(), vec![look().into(), lab.far.inside(look).into()]);
    let me = std::process::id();
    let mine = |place: usize| {
        let owners = &found[place].sockets.as_ref().unwrap().owners;
        owners.iter().filter(|owner| owner.pid == Some(me)).map(|owner| owner.close_wait).collect::<Vec<_>>()
    };
    assert_eq!((mine(0), mine(1)), (vec![20], vec![30]));
    assert_eq!(found[1].sockets.as_ref().unwrap().close_wait_unowned, 0);
}

/// Rules with their subject and the changes that they propose, of one namespace.
fn findings_in(report: &Json, namespace: &str) -> Vec<String> {
    let of_it = report["findings"].as_array().unwrap().iter().filter(|finding| finding["namespace"] == namespace);
    let mut all: Vec<String> = of_it
        .map(|finding| {
            let changes = finding["recommendations"].as_array().into_iter().flatten();
            let changes: Vec<String> =
                changes.map(|change| format!("{} {}", change["key"], change["proposed"])).collect();
            format!("{} {} {}", finding["rule"], finding["subject"], changes.join(", "))
        })
        .collect();
    all.sort();
    all
}

#[test]
fn what_the_budget_leaves_out_is_reported_and_not_checked_and_without_one_the_fault_is_found() {
    let scene = Scene::enter();
    scene.add_namespace("green");
    let leak = |lab: &Lab| -> Box<dyn std::any::Any> { Box::new(close::close_wait(lab, "10.2.0.1:8080", 120)) };
    beside(&scene, leak, |number| {
        std::thread::sleep(Duration::from_millis(1200));
        let faulty = format!("pid {number} (sleep)");
        let with = |budget: &str| audit(&scene, &[&SOON[..], &["--netns", "all", "--budget", budget]].concat());

        let none = with("0");
        assert_eq!(names(&none), ["current", "green", &faulty]);
        assert_eq!(where_fires(&none, "close-wait-leak"), [] as [&str; 0]);
        let beyond = |report: &Json| -> Vec<String> {
            let is_beyond = |namespace: &&Json| namespace["gaps"].to_string().contains("\"budget\"");
            let all = report["namespaces"].as_array().unwrap().iter().filter(is_beyond);
            all.map(|namespace| namespace["name"].as_str().unwrap().to_owned()).collect()
        };
        assert_eq!(beyond(&none), ["green", &faulty]);
        let skipped = |rule: &str| -> Vec<String> {
            let all = none["skipped"].as_array().unwrap().iter().filter(|skip| skip["rule"] == rule);
            all.map(|skip| skip["namespace"].as_str().unwrap().to_owned()).collect()
        };
        for rule in ["close-wait-leak", "syncookies-undefined"] {
            assert_eq!(skipped(rule), ["green", &faulty], "{rule} did not pass there");
        }
        assert_eq!(skipped("connections-time-out"), [] as [String; 0], "counters are enough for it");
        assert!(none["namespaces"][2]["tcp"].is_null(), "{none:#}");

        let all = with("unlimited");
        assert_eq!(where_fires(&all, "close-wait-leak"), [faulty.as_str()]);
        assert_eq!(beyond(&all), [] as [String; 0]);

        let text =
            |arguments: &[&str]| run(&scene, &[&["audit", "--netns", "all", "--budget", "0"], arguments].concat());
        let screen = text(&SOON).out;
        assert!(screen.contains("Of 2 of 3 namespaces only the counters were read (--budget)."), "{screen}");
        let full = text(&[&SOON[..], &["--full"]].concat()).out;
        let line = format!("green, {faulty}: budget (only its counters were read");
        assert!(full.contains(&line) && full.lines().all(|line| line.chars().count() <= 80), "{full}");
    });
}

#[test]
fn a_namespace_of_which_less_is_read_has_the_findings_of_one_that_is_read_whole() {
    let scene = Scene::enter();
    let faults = |lab: &Lab| -> Box<dyn std::any::Any> {
        lab.set("net.ipv4.tcp_retries2", "3");
        lab.set("net.ipv4.tcp_timestamps", "0");
        lab.set("net.ipv4.ip_local_port_range", "40000 40400");
        lab.set("net.ipv4.icmp_ratelimit", "100000");
        Box::new((close::close_wait(lab, "10.2.0.1:8080", 120), listen::overflow(lab, "10.2.0.1:80", 4, 20)))
    };
    beside(&scene, faults, |number| {
        std::thread::sleep(Duration::from_millis(1200));
        let faulty = format!("pid {number} (sleep)");
        let soon = ["--param", "close-wait-leak.seconds=1"];
        let all = ["--netns", "all", "--window", "2s"];
        let less = audit(&scene, &[&soon[..], &all].concat());
        let file = "/run/whole.json";
        let taken = run(&scene, &[&["snapshot", "--output", file], &all[..]].concat());
        assert_eq!(taken.code, Some(0), "{taken:?}");
        let whole = audit(&scene, &[&soon[..], &["--snapshot", file]].concat());
        let (found, expected) = (findings_in(&less, &faulty), findings_in(&whole, &faulty));
        assert!(
            expected.len() > 3 && expected.iter().any(|finding| finding.contains("close-wait-leak")),
            "{expected:#?}"
        );
        assert_eq!(found, expected);
        let skipped = |report: &Json| report["skipped"].as_array().unwrap().clone();
        assert_eq!(skipped(&less), skipped(&whole));
        assert_eq!(findings_in(&less, "current"), findings_in(&whole, "current"));
    });
}
