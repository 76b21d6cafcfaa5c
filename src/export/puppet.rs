//! `puppet`: a manifest, or Hiera data.
//!
//! In: the document. Out: Puppet code or YAML. Must not: use a type that a plain Puppet has not got, unless a style says so.

use super::comments;
use super::format::{Format, Style, Target};
use super::model::{Artefact, Document, Options};
use super::sysctl_d::{self, MODULES, drop_in};
use super::{quote, yaml};

pub(super) const FORMAT: Format = Format {
    name: "puppet",
    help: "A manifest of plain Puppet or for a sysctl type, or Hiera data",
    target: Target::Machine,
    places_drop_in: true,
    styles: &[
        Style::new("core", "a manifest that needs no module", core),
        Style::new("augeasproviders", "a manifest for puppet-augeasproviders_sysctl", augeasproviders),
        Style::new("hiera", "Hiera data: the hash sysctl::values", hiera),
    ],
};

/// A file, and one command that loads it when it changed.
fn core(document: &Document<'_>, options: &Options) -> Vec<Artefact> {
    let path = drop_in(options);
    let mut text = comments::with_sign("#", 0, [comments::head(document)]);
    if let Some(modules) = sysctl_d::modules(document) {
        text.push_str(&file(MODULES, &modules, None));
        for module in &document.modules {
            text.push_str(&format!(
                "exec {{ {}:\n  command => {},\n  unless  => {},\n  before  => File[{}],\n}}\n",
                quote::puppet(&format!("load {module}")),
                quote::puppet(&format!("/sbin/modprobe {module}")),
                quote::puppet(&format!("/usr/bin/test -d /sys/module/{module}")),
                quote::puppet(path)
            ));
        }
    }
    text.push_str(&file(path, &sysctl_d::text(document), Some("sysctl-advisor export")));
    text.push_str(&format!(
        "exec {{ 'sysctl-advisor export':\n  command     => {},\n  refreshonly => true,\n}}\n",
        quote::puppet(&format!("/sbin/sysctl --load={path}"))
    ));
    vec![Artefact { path: "sysctl_advisor.pp".to_owned(), text }]
}

fn file(path: &str, content: &str, notifies: Option<&str>) -> String {
    let notify = notifies.map_or_else(String::new, |exec| format!("  notify  => Exec[{}],\n", quote::puppet(exec)));
    format!(
        "file {{ {}:\n  ensure  => file,\n  owner   => 'root',\n  group   => 'root',\n  mode    => '0644',\n  content => \
         {},\n{notify}}}\n",
        quote::puppet(path),
        quote::puppet(content)
    )
}

fn augeasproviders(document: &Document<'_>, options: &Options) -> Vec<Artefact> {
    let mut text = comments::with_sign("#", 0, [comments::head(document)]);
    for change in &document.changes {
        text.push('\n');
        text.push_str(&comments::with_sign("#", 0, comments::of(change)));
        text.push_str(&format!(
            "sysctl {{ {}:\n  ensure => present,\n  value  => {},\n  target => {},\n}}\n",
            quote::puppet(change.name()),
            quote::puppet(&change.after.to_string()),
            quote::puppet(drop_in(options))
        ));
    }
    vec![Artefact { path: "sysctl_advisor.pp".to_owned(), text }]
}

fn hiera(document: &Document<'_>, options: &Options) -> Vec<Artefact> {
    let mut text = format!("---\n{}", comments::with_sign("#", 0, [comments::head(document)]));
    text.push_str("sysctl::values:\n");
    for change in &document.changes {
        text.push_str(&comments::with_sign("#", 2, comments::of(change)));
        text.push_str(&format!("  {}:\n    ensure: present\n", change.name()));
        text.push_str(&yaml::text(4, "value", &change.after.to_string()));
        text.push_str(&yaml::text(4, "target", drop_in(options)));
    }
    vec![Artefact { path: "sysctl_advisor.yaml".to_owned(), text }]
}
