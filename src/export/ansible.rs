//! `ansible`: tasks with `ansible.posix.sysctl`, a vars file, or a play.
//!
//! In: the document. Out: YAML for Ansible. Must not: let Ansible see a template in a text of ours: texts of strangers
//! stand in comments only.
//!
//! `sysctl_file` is always given, since the module's default is /etc/sysctl.conf, which systemd's loader never reads.
//! `reload: false`, since a reload writes every other key of the file again. A value that is wanted *at least* is read
//! first and only raised.

use super::comments;
use super::format::{Format, Style, Target};
use super::model::{Artefact, Document, Options};
use super::sysctl_d::{MODULES, drop_in};
use super::yaml;
use crate::keys::KeyValue;
use crate::model::Bound;
use crate::plan::model::PlannedChange;

pub(super) const FORMAT: Format = Format {
    name: "ansible",
    help: "Tasks, a vars file or a play with ansible.posix.sysctl",
    target: Target::Machine,
    places_drop_in: true,
    styles: &[
        Style::new("tasks", "a list of tasks, for import_tasks or a role", tasks),
        Style::new("vars", "variables for a role that loops over sysctl_advisor_sysctls", vars),
        Style::new("play", "a whole playbook for all hosts", play),
    ],
};

fn tasks(document: &Document<'_>, options: &Options) -> Vec<Artefact> {
    let text =
        format!("---\n{}{}", comments::with_sign("#", 0, [comments::head(document)]), list(document, options, 0));
    vec![Artefact { path: "tasks.yml".to_owned(), text }]
}

fn play(document: &Document<'_>, options: &Options) -> Vec<Artefact> {
    let text = format!(
        "---\n{}- name: Set sysctls that sysctl-advisor recommends\n  hosts: all\n  become: true\n  gather_facts: false\n  \
         tasks:\n{}",
        comments::with_sign("#", 0, [comments::head(document)]),
        list(document, options, 4),
    );
    vec![Artefact { path: "playbook.yml".to_owned(), text }]
}

fn vars(document: &Document<'_>, options: &Options) -> Vec<Artefact> {
    let mut text = format!("---\n{}", comments::with_sign("#", 0, [comments::head(document)]));
    text.push_str(&yaml::text(0, "sysctl_advisor_file", drop_in(options)));
    if !document.modules.is_empty() {
        text.push_str("sysctl_advisor_modules:\n");
        document.modules.iter().for_each(|module| text.push_str(&format!("  - {module}\n")));
    }
    text.push_str("sysctl_advisor_sysctls:\n");
    for change in &document.changes {
        text.push_str(&comments::with_sign("#", 2, comments::of(change)));
        text.push_str(&format!("  - name: {}\n", change.name()));
        text.push_str(&yaml::text(4, "value", &change.after.to_string()));
        text.push_str(&format!("    bound: {}\n", change.bound.name()));
    }
    vec![Artefact { path: "vars.yml".to_owned(), text }]
}

fn list(document: &Document<'_>, options: &Options, indent: usize) -> String {
    let mut text = String::new();
    if !document.modules.is_empty() {
        text.push_str(&modules(document, indent));
    }
    for change in &document.changes {
        text.push('\n');
        text.push_str(&comments::with_sign("#", indent, comments::of(change)));
        text.push_str(&task(change, options, indent));
    }
    text
}

fn modules(document: &Document<'_>, indent: usize) -> String {
    let place = " ".repeat(indent);
    let lines: String = document.modules.iter().map(|module| format!("{module}\n")).collect();
    let mut text = format!("\n{place}- name: Load kernel modules at boot\n{place}  ansible.builtin.copy:\n");
    text.push_str(&yaml::text(indent + 4, "dest", MODULES));
    text.push_str(&yaml::block(indent + 4, "content", &lines));
    text.push_str(&format!("{place}    owner: root\n{place}    group: root\n{place}    mode: \"0644\"\n"));
    for module in &document.modules {
        text.push_str(&format!("\n{place}- name: Load the module {module} now\n"));
        text.push_str(&format!("{place}  community.general.modprobe:\n{place}    name: {module}\n"));
    }
    text
}

fn task(change: &PlannedChange, options: &Options, indent: usize) -> String {
    let place = " ".repeat(indent);
    let name = change.name();
    let mut text = String::new();
    let condition = raised_only(change);
    if condition.is_some() {
        text.push_str(&format!(
            "{place}- name: Read {name}\n{place}  ansible.builtin.command: sysctl -n {name}\n{place}  register: {}\n\
             {place}  changed_when: false\n{place}  check_mode: false\n\n",
            register(name)
        ));
    }
    text.push_str(&format!("{place}- name: Set {name}\n{place}  ansible.posix.sysctl:\n{place}    name: {name}\n"));
    text.push_str(&yaml::text(indent + 4, "value", &change.after.to_string()));
    text.push_str(&format!("{place}    state: present\n"));
    text.push_str(&yaml::text(indent + 4, "sysctl_file", drop_in(options)));
    text.push_str(&format!("{place}    sysctl_set: true\n{place}    reload: false\n"));
    if let Some(condition) = condition {
        text.push_str(&format!("{place}  when: {condition}\n"));
    }
    text
}

/// When a number that is wanted *at least* is set: while the present one is not beyond it.
fn raised_only(change: &PlannedChange) -> Option<String> {
    let sign = match change.bound {
        Bound::AtLeast => "<=",
        Bound::AtMost => ">=",
        Bound::Exactly | Bound::Widen | Bound::Include => return None,
    };
    let KeyValue::Int(number) = change.after else { return None };
    Some(format!("{}.stdout | int {sign} {number}", register(change.name())))
}

fn register(key: &str) -> String {
    format!("sysctl_advisor_{}", key.replace(['.', '-'], "_"))
}
