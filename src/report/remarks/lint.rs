//! What `lint` has to say of files of configuration management.
//!
//! In: the files with their reviews. Out: [`Remarks`]. Must not: say again what `drift` says in another way.

use std::path::{Path, PathBuf};

use super::drift::of_drift;
use super::record::{Checked, Remarks, What, as_typed};
use crate::declared::Declared;
use crate::observe::system::SystemFacts;
use crate::report::drift::DriftPage;
use crate::session::lint::{Reviewed, Target};
use crate::units;

/// The remarks on all files together.
pub fn of_lint(files: &[(Declared, Vec<Reviewed>)], target: &Target) -> Remarks {
    let name = |declared: &Declared| as_typed(Path::new(&declared.file));
    let read = files.iter().map(|(declared, _)| Checked { what: What::File(name(declared)), unread: None });
    let mut all = Remarks {
        command: "lint",
        observed_at: units::now(),
        host: None,
        about: about(files, target),
        checked: read.collect(),
        remarks: Vec::new(),
        gaps: Vec::new(),
    };
    for (declared, reviewed) in files {
        for group in reviewed {
            let Remarks { checked, remarks, .. } = of_group(declared, group);
            all.checked.extend(checked);
            all.remarks.extend(remarks);
        }
    }
    all.arranged()
}

fn of_group(declared: &Declared, group: &Reviewed) -> Remarks {
    let page = DriftPage {
        drift: &group.drift,
        persisted: &group.persisted,
        root: "/".to_owned(),
        files: std::slice::from_ref(&declared.file),
        namespace: None,
        own_values: false,
        snapshot: None,
        gaps: &[],
        is_boot: true,
        review: &group.review,
        system: &SystemFacts::default(),
        declared: true,
        all: false,
    };
    of_drift(&page, &[PathBuf::from(&declared.file)])
}

/// `14 values in 3 files, for Linux 6.18`.
fn about(files: &[(Declared, Vec<Reviewed>)], target: &Target) -> String {
    let groups = files.iter().flat_map(|(_, groups)| groups);
    let values: usize = groups.map(|group| group.drift.keys.iter().filter(|key| key.boot.is_some()).count()).sum();
    let templates: usize = files.iter().map(|(declared, _)| declared.templates).sum();
    let left = match templates {
        0 => String::new(),
        number => format!("; {} that a template makes, not examined", units::quantity_of(number, "values")),
    };
    let (values, named) = (units::quantity_of(values, "values"), units::quantity_of(files.len(), "files"));
    format!("{values} in {named}, for Linux {}{left}", target.kernel)
}
