//! What an audit says of namespaces that do not fit its budget, when it can count their sockets.

use std::io::{BufRead, BufReader};
use std::process::{Child, Stdio};
use std::sync::mpsc;

use serde_json::Value as Json;

use crate::scene::Scene;
use crate::support::{Lab, close};

const BINARY: &str = env!("CARGO_BIN_EXE_sysctl-advisor");

/// A process of the scene in another namespace, by which an audit finds it.
struct Resident(Child);

impl Drop for Resident {
    fn drop(&mut self) {
        let _ = self.0.kill();
        let _ = self.0.wait();
    }
}

/// Runs `measure` while another namespace has a resident and a leak; it is given the name that the namespace has in a report.
fn beside_a_leak(scene: &Scene, count: usize, measure: impl FnOnce(&str)) {
    let (ready, name) = mpsc::channel();
    let (stop, stopped) = mpsc::channel::<()>();
    std::thread::scope(|scope| {
        scope.spawn(move || {
            let lab = Lab::enter();
            let script = ["-c", "echo $$; exec sleep 600"];
            let mut resident = Resident(scene.inside("sh").args(script).stdout(Stdio::piped()).spawn().unwrap());
            let mut number = String::new();
            BufReader::new(resident.0.stdout.take().unwrap()).read_line(&mut number).unwrap();
            let _leak = close::close_wait(&lab, "10.2.0.1:8080", count);
            ready.send(format!("pid {} (sleep)", number.trim_end())).unwrap();
            let _ = stopped.recv();
        });
        measure(&name.recv().expect("the second lab could not be made"));
        drop(stop);
    });
}

fn audit(scene: &Scene, arguments: &[&str]) -> String {
    let beyond = ["audit", "--netns", "all", "--window", "100ms", "--budget", "0"];
    let output = scene.inside(BINARY).args(beyond).args(arguments).output().unwrap();
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
    String::from_utf8(output.stdout).unwrap()
}

#[test]
fn the_sockets_of_namespaces_beyond_the_budget_are_reported_by_state() {
    let scene = Scene::enter();
    scene.add_namespace("empty");
    beside_a_leak(&scene, 30, |leaking| {
        let report: Json = serde_json::from_str(&audit(&scene, &["--format", "json"])).unwrap();
        let of = |name: &str| {
            let all = report["namespaces"].as_array().unwrap().iter();
            all.clone().find(|namespace| namespace["name"] == name).unwrap_or_else(|| panic!("no {name}: {report:#}"))
        };
        let (close_wait, listen) = (&of(leaking)["tcp"]["CLOSE_WAIT"], &of(leaking)["tcp"]["LISTEN"]);
        assert_eq!((close_wait.as_u64(), listen.as_u64()), (Some(30), Some(1)), "{report:#}");
        assert_eq!(of("empty")["tcp"]["LISTEN"], 0);
        // No socket waits there, so there is nothing that a look at each of them could find.
        let skipped = |rule: &str| -> Vec<&str> {
            let all = report["skipped"].as_array().unwrap().iter().filter(|skipped| skipped["rule"] == rule);
            all.map(|skipped| skipped["namespace"].as_str().unwrap()).collect()
        };
        assert_eq!(skipped("close-wait-spread"), [leaking]);
        assert_eq!(skipped("syn-sent-spread"), [] as [&str; 0]);
        let text = audit(&scene, &[]);
        let said = "Of 2 of 3 namespaces only the counters and the numbers of sockets by state were\nread (--budget).";
        assert!(text.contains(said), "{text}");
    });
}
