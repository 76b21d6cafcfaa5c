//! Asks the kernel in a network namespace made for the question: whether it takes values, and what its own defaults are.
//!
//! In: keys that each network namespace has for itself, with values, in the order in which a boot would write them; or
//! without. Out: what became of each, read back; or what a new namespace has. Must not: write or read before it is proven
//! that the namespace is a new one; touch a key that belongs to the machine, or one whose writing loads a module.

#![cfg_attr(not(test), expect(clippy::disallowed_methods, reason = "part of the door to the machine's files"))]

use std::fs::{File, OpenOptions};
use std::io::{self, Read, Write};
use std::os::unix::fs::MetadataExt;

use nix::sched::{CloneFlags, unshare};
use serde::{Deserialize, Serialize};

/// What the kernel made of one value.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case", deny_unknown_fields)]
pub enum Answer {
    /// Read back as this text, right after the write and after all the others.
    Taken { at_once: String, at_end: String },
    /// With the kernel's reason.
    Refused(String),
    /// The scratch namespace does not have the key, or does not let it be written.
    NotOurs(String),
}

/// Why nothing could be rehearsed.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum CannotRehearse {
    #[error("cannot create a scratch network namespace: {0}")]
    NoNamespace(String),
    #[error("the scratch network namespace is not new, so it was not used")]
    NotScratch,
    #[error("the work in the scratch network namespace was interrupted")]
    BrokeOff,
}

/// Gives this process every right in a user namespace of its own, and takes those on the host away: enough to rehearse.
/// Fails in a process with several threads, and where the administrator does not allow it.
pub fn become_root_of_a_user_namespace() -> Result<(), CannotRehearse> {
    unshare(CloneFlags::CLONE_NEWUSER).map_err(|error| {
        CannotRehearse::NoNamespace(format!(
            "{}; a user namespace cannot be created either",
            error.desc().to_lowercase()
        ))
    })
}

/// Writes each value in turn and reads it back. `paths` are below `/proc/sys/net/`; the answers are in their order.
/// Without the privilege to make a namespace nothing is rehearsed; [`become_root_of_a_user_namespace`] gives it.
pub fn rehearse(lines: &[(String, String)]) -> Result<Vec<Answer>, CannotRehearse> {
    in_scratch(|| {
        let mut answers: Vec<Answer> = lines.iter().map(|(path, value)| write_and_read(path, value)).collect();
        for ((path, _), answer) in lines.iter().zip(&mut answers) {
            if let (Answer::Taken { at_end, .. }, Ok(text)) = (answer, read(path)) {
                *at_end = text;
            }
        }
        answers
    })
}

/// What a new namespace has below these paths, in their order; `None` for what it does not have.
pub fn read_new(paths: &[String]) -> Result<Vec<Option<String>>, CannotRehearse> {
    in_scratch(|| paths.iter().map(|path| if is_below_net(path) { read(path).ok() } else { None }).collect())
}

/// Works on a thread that lives in a network namespace of its own and ends with it.
fn in_scratch<T: Send>(work: impl FnOnce() -> T + Send) -> Result<T, CannotRehearse> {
    let outside = [thread_namespace()?, inode("/proc/self/ns/net")?];
    std::thread::scope(|scope| {
        let inside = move || {
            unshare(CloneFlags::CLONE_NEWNET).map_err(|error| CannotRehearse::NoNamespace(error.desc().to_owned()))?;
            if outside.contains(&thread_namespace()?) {
                return Err(CannotRehearse::NotScratch);
            }
            Ok(work())
        };
        let worker = std::thread::Builder::new().spawn_scoped(scope, inside);
        let worker = worker.map_err(|error| CannotRehearse::NoNamespace(error.to_string()))?;
        worker.join().map_err(|_| CannotRehearse::BrokeOff)?
    })
}

fn write_and_read(path: &str, value: &str) -> Answer {
    if !is_below_net(path) {
        return Answer::NotOurs("this is not a key of a network namespace".to_owned());
    }
    let mut file = match OpenOptions::new().write(true).open(path) {
        Ok(file) => file,
        Err(error) => return Answer::NotOurs(reason(&error)),
    };
    if let Err(error) = file.write_all(format!("{value}\n").as_bytes()) {
        return Answer::Refused(reason(&error));
    }
    match read(path) {
        Ok(text) => Answer::Taken { at_once: text.clone(), at_end: text },
        Err(error) => Answer::NotOurs(reason(&error)),
    }
}

fn is_below_net(path: &str) -> bool {
    path.starts_with("/proc/sys/net/") && !path.split('/').any(|part| part == "..")
}

fn read(path: &str) -> io::Result<String> {
    // Such a file gives its text to the first read only.
    let mut buffer = vec![0; 64 << 10];
    let length = File::open(path)?.read(&mut buffer)?;
    buffer.truncate(length);
    Ok(String::from_utf8_lossy(&buffer).trim_end().to_owned())
}

fn reason(error: &io::Error) -> String {
    let text = error.to_string();
    text.split(" (os error").next().unwrap_or(&text).to_owned()
}

fn thread_namespace() -> Result<u64, CannotRehearse> {
    inode("/proc/thread-self/ns/net")
}

fn inode(path: &str) -> Result<u64, CannotRehearse> {
    let facts = std::fs::metadata(path);
    facts.map(|facts| facts.ino()).map_err(|error| CannotRehearse::NoNamespace(reason(&error)))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn ask(lines: &[(&str, &str)]) -> Vec<Answer> {
        let lines: Vec<_> =
            lines.iter().map(|(path, value)| (format!("/proc/sys/net/{path}"), (*value).to_owned())).collect();
        rehearse(&lines).expect("this test needs root, to make a network namespace")
    }

    #[test]
    fn the_kernel_says_what_it_takes_and_this_namespace_is_left_alone() {
        let path = "/proc/sys/net/ipv4/tcp_fin_timeout";
        let before = read(path).unwrap();
        let answers = ask(&[("ipv4/tcp_fin_timeout", "47"), ("ipv4/tcp_tw_reuse", "9"), ("ipv4/tcp_tw_recycle", "1")]);
        let taken = Answer::Taken { at_once: "47".to_owned(), at_end: "47".to_owned() };
        assert_eq!(answers[0], taken);
        assert_eq!(answers[1], Answer::Refused("Invalid argument".to_owned()));
        assert!(matches!(&answers[2], Answer::NotOurs(why) if why.contains("No such file")));
        assert_eq!(read(path).unwrap(), before);
    }

    #[test]
    fn a_later_line_that_changes_an_earlier_key_shows_at_the_end() {
        let answers = ask(&[("ipv4/conf/all/accept_redirects", "1"), ("ipv4/ip_forward", "1")]);
        let changed = Answer::Taken { at_once: "1".to_owned(), at_end: "0".to_owned() };
        assert_eq!(answers[0], changed, "ip_forward sets the redirects of the namespace back");
    }

    #[test]
    fn keys_of_the_machine_are_out_of_reach() {
        let answers = ask(&[("core/rmem_max", "1"), ("../kernel/panic", "1")]);
        assert!(answers.iter().all(|answer| matches!(answer, Answer::NotOurs(_))), "{answers:?}");
    }

    #[test]
    fn a_new_namespace_has_the_kernel_s_defaults_and_none_of_the_keys_of_the_machine() {
        let paths = ["ipv4/tcp_fin_timeout", "ipv4/tcp_tw_recycle", "core/netdev_max_backlog", "../kernel/panic"];
        let read = read_new(&paths.map(|path| format!("/proc/sys/net/{path}"))).expect("this test needs root");
        assert_eq!(read, [Some("60".to_owned()), None, None, None]);
    }
}
