//! The files of configuration management, reviewed without a host.
//!
//! In: a file, the kernel that it is for, criteria. Out: what would be set, what is wrong with it, and what the rules say,
//! with the places of the file itself. Must not: look at the machine that it runs on.

use std::path::Path;

use super::Criteria;
use super::drift::Scene;
use super::review::{BootFinding, review, without_repetition};
use crate::declared::{self, Declared, Group, Owner, Syntax};
use crate::diagnostic::{Diagnostic, io_words};
use crate::drift::model::{Assignment, Drift, Problem, codes};
use crate::export::kubernetes;
use crate::keys::{self, Scope};
use crate::observe::persisted::{Loader, LoaderFound, Persisted};
use crate::versioned;

/// What the files are for.
#[derive(Debug, Clone)]
pub struct Target {
    /// The kernel's release: `6.1`.
    pub kernel: String,
    /// The cluster's version: 32 for 1.32; `None` is the newest that is known.
    pub kubernetes_minor: Option<u32>,
}

/// A group of values that are set together.
#[derive(Debug)]
pub struct Reviewed {
    /// Where in the file: `spec.securityContext.sysctls`; empty for the file as a whole.
    pub place: String,
    /// The file alone, with its own text.
    pub persisted: Persisted,
    pub drift: Drift,
    pub review: Vec<BootFinding>,
}

/// Files of configuration are small; a larger one is another file.
const LARGEST: u64 = 16 << 20;

/// Reads a file, `-` for standard input, and finds its values.
///
/// # Errors
///
/// It cannot be read, or its text is not of the syntax: the place, and what was expected.
pub fn read(file: &Path, syntax: Option<Syntax>) -> Result<Declared, Diagnostic> {
    let name = file.display().to_string();
    let refused = |why: &str| Diagnostic::of_file(name.clone(), why.to_owned());
    let bytes = versioned::read_bytes(file, LARGEST).map_err(|error| refused(&io_words(&error)))?;
    let bytes = bytes.ok_or_else(|| refused("this file is larger than 16 MiB"))?;
    let text = String::from_utf8(bytes).map_err(|_| refused("this file has bytes that are not UTF-8"))?;
    declared::read(&name, &text, syntax)
}

/// Reviews each group of a file by itself. What is wrong with the writing of the file is told with the first group.
pub fn lint(declared: &Declared, target: &Target, criteria: &Criteria) -> Vec<Reviewed> {
    // What is wrong is to be told too where no value is left to review.
    let nothing = [Group::empty()];
    let is_empty = declared.groups.is_empty() && !declared.problems.is_empty();
    let groups = if is_empty { &nothing } else { declared.groups.as_slice() };
    let mut reviewed: Vec<Reviewed> =
        groups.iter().map(|group| group_reviewed(declared, group, target, criteria)).collect();
    if let Some(first) = reviewed.first_mut() {
        first.drift.problems.extend(declared.problems.iter().cloned());
    }
    reviewed
}

fn group_reviewed(declared: &Declared, group: &Group, target: &Target, criteria: &Criteria) -> Reviewed {
    let mut persisted = alone(declared, group);
    let mut scene = Scene::of_no_host(persisted.clone(), &target.kernel, group.owner == Owner::Host);
    let mut drift = scene.compare(Some(Loader::Systemd), false);
    let mut review = review(&scene, &drift, criteria, None);
    without_repetition(&mut drift, &review);
    drift.problems.extend(of_owner(&drift, group.owner, target));
    in_document(group, &mut drift, &mut review);
    if let [file] = &mut persisted.files[..] {
        file.text = Some(declared.text.clone());
    }
    Reviewed { place: group.place.clone(), persisted, drift, review }
}

/// The file as the loader would see it if it had only this group.
pub fn alone(declared: &Declared, group: &Group) -> Persisted {
    let loader = LoaderFound { loader: Some(Loader::Systemd), evidence: Vec::new() };
    Persisted { loader, files: vec![group.as_file(&declared.file)], ..Persisted::default() }
}

/// Keys that are not the container's or the pod's to set.
fn of_owner(drift: &Drift, owner: Owner, target: &Target) -> Vec<Problem> {
    let problem = |line: &Assignment, code, text| {
        let span = (line.span.start, line.span.end);
        Problem { file: line.file.clone(), line: line.line, span, code, text }
    };
    let set = drift.keys.iter().filter_map(|key| Some((key.key.as_str(), key.boot.as_ref()?)));
    let named = set.filter(|(_, line)| line.spread_from.is_none() && owner != Owner::Host);
    let wrong = named.filter_map(|(key, line)| {
        let scope = keys::catalogue().get(key).map(|key| key.scope);
        if scope.is_some_and(|scope| scope != Scope::Namespace) || (scope.is_none() && !key.starts_with("net.")) {
            let text = format!("{key} belongs to the whole machine: a container with a network namespace of its own cannot set it.");
            Some(problem(line, codes::NOT_OF_CONTAINER, text))
        } else if owner == Owner::Pod && !kubernetes::is_safe_in(key, target.kubernetes_minor) {
            let version = target.kubernetes_minor.unwrap_or(kubernetes::NEWEST);
            let text = format!(
                "{key} is not a safe sysctl in Kubernetes 1.{version}: a pod starts only on nodes whose kubelet has it in \
                 allowedUnsafeSysctls."
            );
            Some(problem(line, codes::UNSAFE_IN_POD, text))
        } else {
            None
        }
    });
    wrong.collect()
}

/// Replaces the places in the group's own text by those in the document.
pub fn in_document(group: &Group, drift: &mut Drift, review: &mut [BootFinding]) {
    for Problem { span, .. } in &mut drift.problems {
        let place = group.in_document(&(span.0..span.1));
        *span = (place.start, place.end);
    }
    let of_keys = drift.keys.iter_mut().flat_map(|key| key.boot.iter_mut().chain(&mut key.shadowed));
    let of_review = review.iter_mut().flat_map(|finding| finding.lines.iter_mut().map(|(_, line)| line));
    of_keys.chain(of_review).for_each(|line| line.span = group.in_document(&line.span));
}
