//! Namespaces made, found, entered and left, on the running kernel.

use std::path::PathBuf;

use nix::sched::{CloneFlags, unshare};

use std::fs::File;

use super::place::id_of;
use super::*;
use crate::host::Host;

/// Runs `work` on a thread in a namespace of its own, and gives it the id of the namespace that it came from.
fn apart<T: Send>(work: impl FnOnce(&str) -> T + Send) -> T {
    let outside = own_id(&Host::live()).unwrap();
    std::thread::scope(|scope| {
        let thread = scope.spawn(|| {
            unshare(CloneFlags::CLONE_NEWNET).expect("this test needs root, to make a network namespace");
            assert_ne!(own_id(&Host::live()).unwrap(), outside);
            work(&outside)
        });
        thread.join().unwrap()
    })
}

fn door(path: &str) -> Place {
    let door = File::open(path).unwrap();
    Place { id: id_of(&door.metadata().unwrap()), name: "door".into(), door: Some(door) }
}

#[test]
fn what_is_typed_is_told_apart() {
    assert_eq!("all".parse(), Ok(Which::All));
    assert_eq!("current".parse(), Ok(Which::Current));
    assert_eq!("blue".parse(), Ok(Which::Named("blue".to_owned())));
    assert!("".parse::<Which>().is_err());
}

#[test]
fn work_is_done_inside_and_the_caller_stays_where_it_was_also_when_it_breaks_off() {
    let there = apart(|_| door("/proc/thread-self/ns/net"));
    let here = own_id(&Host::live());
    let seen = there.inside(|| own_id(&Host::live()).unwrap()).unwrap();
    assert_eq!((seen, own_id(&Host::live())), (there.id.clone(), here.clone()));
    let broken: Result<(), _> = there.inside(|| panic!("on purpose"));
    assert!(matches!(broken, Err(EnterError::Refused { .. })));
    assert_eq!(own_id(&Host::live()), here);
    let process = std::fs::read_link("/proc/self/ns/net").unwrap().to_string_lossy().into_owned();
    assert_ne!(process, there.id, "the process as a whole has not moved");
}

#[test]
fn inside_everything_that_is_read_is_the_namespace_s_own() {
    let there = apart(|_| door("/proc/thread-self/ns/net"));
    there
        .inside(|| {
            assert_eq!(std::fs::read_dir("/proc/sys/net/ipv4/conf").unwrap().count(), 3 + more_interfaces());
            let text = std::fs::read_to_string("/proc/thread-self/net/netstat").unwrap();
            assert!(text.starts_with("TcpExt:"));
            let dev = std::fs::read_to_string("/proc/thread-self/net/dev").unwrap();
            assert_eq!(dev.lines().count(), 2 + 1 + more_interfaces(), "lo and what modules add: {dev}");
        })
        .unwrap();
    let places = [Place::here(&Host::live()), there];
    let ids = visit(&places, |_, _| own_id(&Host::live()).unwrap());
    let ids: Vec<String> = ids.into_iter().map(Result::unwrap).collect();
    assert_eq!(ids, [places[0].id.clone(), places[1].id.clone()]);
}

/// Modules such as `ifb` and `dummy` may put interfaces into every new namespace.
fn more_interfaces() -> usize {
    let all = std::fs::read_dir("/proc/sys/net/ipv4/conf").unwrap();
    let names = all.map(|entry| entry.unwrap().file_name().into_string().unwrap());
    names.filter(|name| !["all", "default", "lo"].contains(&name.as_str())).count()
}

#[test]
fn a_thread_that_did_not_arrive_is_an_error() {
    let there = apart(|_| door("/proc/thread-self/ns/net"));
    let wrong = Place { id: "net:[1]".to_owned(), ..there };
    assert!(wrong.inside(|| ()).is_err());
    let file = File::open("/proc/self/ns/mnt").unwrap();
    let refused = Place { id: "net:[1]".to_owned(), name: "mounts".into(), door: Some(file) }.inside(|| ());
    assert_eq!(refused.unwrap_err().to_string(), "cannot enter the network namespace `mounts`: Invalid argument");
}

#[test]
fn the_list_has_the_caller_first_and_processes_by_the_lowest_number() {
    apart(|outside| {
        let own = own_id(&Host::live()).unwrap();
        let found = list();
        assert_eq!((found.places[0].id.as_str(), found.places[0].name.as_str()), (own.as_str(), CURRENT));
        let mut names: Vec<_> = found.places.iter().map(|place| &place.name).collect();
        let all = names.len();
        names.sort();
        names.dedup();
        assert_eq!(names.len(), all, "names are unique");
        let test = found.places.iter().find(|place| place.id == outside).expect("that of this process");
        let link = PathBuf::from("/proc").join(test.name.split([' ', '(']).nth(1).unwrap()).join("ns/net");
        assert!(test.name.starts_with("pid ") || !test.is_here(), "{}", test.name);
        if test.name.starts_with("pid ") {
            assert_eq!(std::fs::read_link(link).unwrap().to_string_lossy(), outside);
        }
        let me = std::process::id().to_string();
        let mine = resolve(&Which::Named(me)).unwrap();
        assert_eq!(mine.places[0].id, outside, "a process is where its first thread is");
        assert_eq!(find(outside).0.map(|place| place.id).as_deref(), Some(outside));
        assert_eq!(find(&own).0.map(|place| place.is_here()), Some(true));
        assert!(find("net:[1]").0.is_none());
    });
}

#[test]
fn a_name_that_does_not_exist_is_answered_with_those_that_do() {
    for name in ["no-such-namespace", "../../etc", "/proc/self/ns/net", "4194305", "0"] {
        let Err(EnterError::Unknown { known, .. }) = resolve(&Which::Named(name.to_owned())) else {
            panic!("{name} is none")
        };
        assert!(!known.is_empty(), "{name}");
    }
}
