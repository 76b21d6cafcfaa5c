//! From what a person typed, or a journal remembers, to a namespace.
//!
//! In: a name, a number of a process, an id. Out: the [`Places`] that are meant.
//! Must not: guess; a name that does not exist is answered with those that do.

#![cfg_attr(not(test), expect(clippy::disallowed_methods, reason = "part of the door to the machine's files"))]

use std::io::ErrorKind;
use std::path::Path;

use super::list::{is_in_our_namespace, list, open, process_name};
use super::place::{EnterError, FOLDER, HOST, Place, Places, Which, id_of, own_id};
use crate::diagnostic::io_words;
use crate::host::Host;

/// What is wanted. For one that is named the list has that one only; for [`Which::All`] the caller's own stands first.
pub fn resolve(which: &Which) -> Result<Places, EnterError> {
    match which {
        Which::Current => Ok(Places::here(&Host::live())),
        Which::All => Ok(list()),
        Which::Named(name) => named(name),
    }
}

/// The namespace with this id, `net:[4026531840]`, and whether one that is not found does not exist.
pub fn find(id: &str) -> (Option<Place>, bool) {
    if own_id(&Host::live()).as_deref() == Some(id) {
        return (Some(Place::here(&Host::live())), true);
    }
    let Places { places, complete, .. } = list();
    (places.into_iter().find(|place| place.id == id), complete)
}

fn named(wanted: &str) -> Result<Places, EnterError> {
    let found = list();
    let refused = |why: String| EnterError::Refused { name: wanted.to_owned(), why };
    let names = Host::live().list(FOLDER).unwrap_or_default();
    let number: Option<u32> = wanted.parse().ok();
    let id = if names.iter().any(|name| name == wanted) {
        let facts = std::fs::metadata(Path::new(FOLDER).join(wanted)).map_err(|error| refused(io_words(&error)))?;
        Some(id_of(&facts))
    } else if let Some(number) = number {
        match std::fs::read_link(format!("/proc/{number}/ns/net")) {
            Ok(id) => Some(id.to_string_lossy().into_owned()),
            Err(error) if error.kind() == ErrorKind::NotFound => None,
            // Nobody needs a right to be where one is.
            Err(_) if is_in_our_namespace(number) => own_id(&Host::live()),
            Err(error) => {
                return Err(refused(format!("{}: {}", process_name(&Host::live(), number), io_words(&error))));
            }
        }
    } else if wanted == HOST {
        found.places.iter().find(|place| is_the_machines_first(place)).map(|place| place.id.clone())
    } else {
        found.places.iter().find(|place| place.name == wanted).map(|place| place.id.clone())
    };
    let hidden = found.hidden.iter().find(|hidden| hidden.name == wanted);
    let known = found.places.iter().map(|place| place.name.to_string()).collect();
    // The list has an end; a process beyond it can be asked for all the same.
    let beyond = |id: &str| {
        let number = number?;
        let name = process_name(&Host::live(), number);
        open(id, &name, &format!("/proc/{number}/ns/net")).ok().flatten()
    };
    let place = id.and_then(|id| found.places.into_iter().find(|place| place.id == id).or_else(|| beyond(&id)));
    match (place, hidden) {
        (Some(place), _) => Ok(Places { places: vec![place], hidden: Vec::new(), complete: false }),
        (None, Some(hidden)) => Err(refused(hidden.why.clone())),
        (None, None) => Err(EnterError::Unknown { name: wanted.to_owned(), known }),
    }
}

/// Some keys exist only there.
fn is_the_machines_first(place: &Place) -> bool {
    let has_its_keys = || Host::live().read_sysctl("/proc/sys/net/ipv4/tcp_mem").is_ok();
    if place.is_here() { has_its_keys() } else { place.inside(has_its_keys).unwrap_or(false) }
}
