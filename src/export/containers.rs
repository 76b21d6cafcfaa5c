//! `docker`, `podman`, `systemd-nspawn`: keys that a container's own network namespace has.
//!
//! In: the document. Out: options, or a part of a file. Must not: give a key of the machine to a container: the runtime
//! refuses to start it.

use super::comments;
use super::format::{Format, Style, Target};
use super::model::{Artefact, Document, Options};
use super::{quote, sysctl_d, yaml};
use crate::text::shell;

pub(super) const DOCKER: Format = Format {
    name: "docker",
    help: "Options of docker run, or a part of a Compose file",
    target: Target::Container,
    places_drop_in: false,
    styles: &[
        Style::new("run", "options of `docker run`", options_of_run),
        Style::new("compose", "the part `sysctls` of a service", compose),
    ],
};

pub(super) const PODMAN: Format = Format {
    name: "podman",
    help: "Options of podman run, or a part of a Quadlet",
    target: Target::Container,
    places_drop_in: false,
    styles: &[
        Style::new("run", "options of `podman run`", options_of_run),
        Style::new("quadlet", "a drop-in for a .container file", quadlet),
    ],
};

pub(super) const NSPAWN: Format = Format {
    name: "systemd-nspawn",
    help: "A drop-in for /etc/sysctl.d inside a container that boots systemd",
    target: Target::Container,
    places_drop_in: false,
    styles: &[Style::new("drop-in", "a file for the container", inside)],
};

/// The options as the positional parameters of a shell: `docker run "$@" IMAGE`.
fn options_of_run(document: &Document<'_>, _: &Options) -> Vec<Artefact> {
    let mut text = comments::with_sign("#", 0, [comments::head(document)]);
    text.push_str("# Use it so: . ./sysctls.sh; docker run \"$@\" IMAGE\nset --\n");
    for change in &document.changes {
        text.push('\n');
        text.push_str(&comments::with_sign("#", 0, comments::of(change)));
        text.push_str(&format!("set -- \"$@\" --sysctl {}\n", shell(&format!("{}={}", change.name(), change.after))));
    }
    vec![Artefact { path: "sysctls.sh".to_owned(), text }]
}

fn compose(document: &Document<'_>, _: &Options) -> Vec<Artefact> {
    let mut text = comments::with_sign("#", 0, [comments::head(document)]);
    text.push_str("services:\n  SERVICE:\n    sysctls:\n");
    for change in &document.changes {
        text.push_str(&comments::with_sign("#", 6, comments::of(change)));
        // Compose replaces `$NAME` in values; `$$` is a dollar.
        text.push_str(&yaml::text(6, change.name(), &change.after.to_string().replace('$', "$$")));
    }
    vec![Artefact { path: "compose.sysctls.yaml".to_owned(), text }]
}

fn quadlet(document: &Document<'_>, _: &Options) -> Vec<Artefact> {
    let mut text = comments::with_sign("#", 0, [comments::head(document)]);
    text.push_str("[Container]\n");
    for change in &document.changes {
        text.push_str(&comments::with_sign("#", 0, comments::of(change)));
        text.push_str(&format!("Sysctl={}\n", quote::unit(&format!("{}={}", change.name(), change.after))));
    }
    vec![Artefact { path: "sysctls.conf".to_owned(), text }]
}

fn inside(document: &Document<'_>, options: &Options) -> Vec<Artefact> {
    vec![Artefact { path: sysctl_d::drop_in(options).to_owned(), text: sysctl_d::text(document) }]
}
