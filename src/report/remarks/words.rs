//! The sentences that several formats have in common.
//!
//! In: remarks. Out: plain text without layout; the format escapes what it gives a meaning to.
//! Must not: wrap lines, or decide what a format shows.

use super::record::{Checked, Origin, Remark, Remarks, What};
use crate::model::Severity;
use crate::report::check::in_numbers;
use crate::units;

/// `1 critical, 2 warnings`, or that there is nothing.
pub(super) fn numbers(remarks: &Remarks) -> String {
    let [critical, warning, notice] = counts(remarks);
    let parts = in_numbers(critical, warning, notice);
    if parts.is_empty() { "no remarks".to_owned() } else { parts.join(", ") }
}

/// How many are critical, warnings and notices.
pub(super) fn counts(remarks: &Remarks) -> [usize; 3] {
    [Severity::Critical, Severity::Warning, Severity::Notice].map(|severity| remarks.count(severity))
}

/// `34 keys and 2 files were examined, 1 thing could not be read`.
pub(super) fn extent(remarks: &Remarks) -> String {
    let [keys, files] = extent_in_numbers(remarks);
    let (keys, files) = (units::quantity_of(keys, "keys"), units::quantity_of(files, "files"));
    let examined = format!("{keys} and {files} were examined");
    match not_read(remarks).len() {
        0 => examined,
        number => {
            let things = units::quantity_of(number, "things");
            format!("{examined}, {things} could not be read")
        }
    }
}

/// How many keys, and how many files.
pub(super) fn extent_in_numbers(remarks: &Remarks) -> [usize; 2] {
    let keys = remarks.checked.iter().filter(|checked| matches!(checked.what, What::Key(_))).count();
    [keys, remarks.checked.len() - keys]
}

/// What could not be read, and why: keys, files and gaps.
pub(super) fn not_read(remarks: &Remarks) -> Vec<(&str, &str)> {
    let of_checked =
        remarks.checked.iter().filter_map(|Checked { what, unread }| Some((name(what), unread.as_deref()?)));
    of_checked.chain(remarks.gaps.iter().map(|gap| (gap.what.as_str(), gap.why.as_str()))).collect()
}

pub(super) fn name(what: &What) -> &str {
    match what {
        What::Key(name) | What::File(name) => name,
    }
}

/// What a person does next, or finds more of.
pub(super) fn more(remark: &Remark) -> String {
    let subject = match (&remark.key, remark.origin) {
        (_, Origin::Rule) => &*remark.code,
        (Some(key), _) => key,
        (None, _) => return String::new(),
    };
    format!("`sysctl-advisor explain {subject}` has more.")
}
