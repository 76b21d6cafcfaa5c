//! How bad each status and each problem is, and why: one table.
//!
//! In: a code. Out: its severity and its explanation. Must not: judge a value; what cripples a host is for the rules to say,
//! with their own severity.

use crate::model::Severity;

/// A code.
#[derive(Debug)]
pub struct Grade {
    pub code: &'static str,
    pub severity: Severity,
    /// Sentences: what happens here, and what to do.
    pub explain: &'static str,
}

/// What keeps every file from being loaded.
const STOPS: Severity = Severity::Critical;
/// What the kernel or the loader rejects or silently ignores, so that the line does not do what it says.
const FAILS: Severity = Severity::Warning;
/// What works and deserves a look.
const NOTE: Severity = Severity::Notice;

const fn grade(code: &'static str, severity: Severity, explain: &'static str) -> Grade {
    Grade { code, severity, explain }
}

#[rustfmt::skip]
static GRADES: &[Grade] = &[
    // Statuses of keys.
    grade("not_in_force", FAILS, "A file sets the key, and the kernel has another value. Load the files again, or find what writes the key after them."),
    grade("dead", FAILS, "A file sets a key that this kernel does not have, so the line has no effect. Remove the line or correct the name."),
    grade("invalid", FAILS, "The kernel rejects the value, so the key keeps another one. Correct the value."),
    grade("wrong_scope", FAILS, "A file in this network namespace cannot set the key. Set it on the host."),
    grade("runtime_only", NOTE, "The value was set at runtime, and a reboot reverts it. Write it to a file if it is to stay."),
    // Lines that are not read as their writer expects.
    grade("not_an_assignment", FAILS, "The loader skips a line that is neither `key = value` nor a comment."),
    grade("bad_key", FAILS, "No key can have this name, so the loader cannot write the value."),
    grade("line_too_long", FAILS, "The loader does not read a line of this length as it is written."),
    grade("cancelled", FAILS, "A later line `-key` cancels the assignment of a pattern for this key, so this line has no effect."),
    grade("name_is_pattern", FAILS, "procps uses the name of the file as a pattern and may read other files instead. Use a name without `*`, `?` and `[`."),
    grade("not_utf8", NOTE, "The file has bytes that are not UTF-8. The kernel gets them as they are."),
    grade("glob_without_match", NOTE, "The pattern matches no key that exists now, so the line has no effect until one appears."),
    grade("too_many_globs", NOTE, "The file has so many patterns that only the first ones were compared with the keys."),
    grade("too_many_lines", NOTE, "The files have so many lines that only the first ones were examined."),
    grade("file_cut", NOTE, "The file is so large that only its beginning was examined."),
    // Files.
    grade("unreadable_file", FAILS, "The loader cannot read the file, so none of its lines is loaded."),
    grade("unreadable_directory", FAILS, "The directory could not be read, so the files in it are not known."),
    grade("blocks_loader", STOPS, "The loader waits at this file and sets nothing, and a boot can wait with it. Remove the file."),
    grade("not_read_by_loader", FAILS, "The loader of this system does not read the file. Move its lines to a file in /etc/sysctl.d."),
    grade("world_writable", FAILS, "Every user can change what root writes to the kernel at the next boot. Remove the permission to write."),
    // Keys that are not there.
    grade("dead_key", FAILS, "A kernel does not have the key, so the line has no effect there. Remove the line, or make it conditional on the kernel."),
    grade("unknown_key", FAILS, "No known kernel has the key, so the line has no effect. Correct the name."),
    grade("needs_module", NOTE, "The key exists only while a module is loaded. Load the module before the files, with a file in /etc/modules-load.d."),
    grade("placeholder", FAILS, "A template or a person should have replaced this word. The line has no effect."),
    // Values.
    grade("invalid_value", FAILS, "The kernel rejects the value, so the key keeps another one. Correct the value."),
    grade("comment_in_value", FAILS, "The loader does not remove a comment after a value: the kernel ignores it or rejects the value. Put the comment on a line of its own."),
    grade("ignored_text", FAILS, "The kernel uses only the beginning of the value and ignores the rest."),
    grade("missing_numbers", FAILS, "The key has more numbers than the line. The kernel does not change the others. Write all of them."),
    grade("bytes_for_pages", FAILS, "The key is in pages, and the value is more than the memory of the machine. The value is probably in bytes."),
    grade("not_ascending", FAILS, "The numbers of the key are a minimum, a default and a maximum. Write them in ascending order."),
    grade("meaningless_value", FAILS, "The kernel accepts the value, but nothing in the kernel has a use for it."),
    grade("unusual_value", NOTE, "The value is outside of the usual range, which has a cost. Measure what it is for."),
    grade("costly_value", NOTE, "The value is usual, and a reviewer should know its cost."),
    grade("action", FAILS, "A write to the key does something once, and the key keeps no value. A line in a file has no effect."),
    // Lines that do not fit together.
    grade("all_and_interface", FAILS, "The kernel combines the values of `all` and of the interface, so the line does not do what it seems to do."),
    grade("related_key", FAILS, "The value does not fit to the value of another key. Change both."),
    grade("without_effect", FAILS, "The kernel ignores the value in this combination or in this version. Remove the line."),
    grade("duplicates_disagree", FAILS, "Two lines of one file set the key to different values, and only the last one is effective. Remove one of them."),
    grade("never_wins", FAILS, "Another line overrides this line, so its value is never effective. Remove the line, or move it to a file that is loaded later."),
    // Documents that configuration management reads.
    grade("yaml_boolean", FAILS, "Without quotation marks the word is a boolean, which not every tool turns into 0 or 1. Write the number with quotation marks."),
    grade("yaml_number", FAILS, "Without quotation marks the text is another number for some readers of YAML. Write the value with quotation marks."),
    grade("not_one_text", FAILS, "A key takes one line of text. Write the numbers with single spaces between them, with quotation marks."),
    grade("not_a_string", FAILS, "The values of securityContext.sysctls are texts. The API server rejects a number. Use quotation marks."),
    grade("not_of_container", FAILS, "The key is not part of a network namespace, so the container does not start or the value is not set. Set it on the node."),
    grade("unsafe_in_pod", NOTE, "The kubelet rejects a pod with this key unless its node allows the key (allowedUnsafeSysctls)."),
];

/// The grade of a code.
pub fn grade_of(code: &str) -> Option<&'static Grade> {
    GRADES.iter().find(|grade| grade.code == code)
}

/// The grade of a code of the table.
#[cfg(test)]
pub(super) fn graded(code: &str) -> &'static Grade {
    grade_of(code).unwrap_or_else(|| panic!("{code} has no grade"))
}

/// How bad a code is; `vendor`: the line is in a file of a package, which the administrator overrides and does not change.
pub fn severity(code: &str, vendor: bool) -> Severity {
    match grade_of(code).map_or(FAILS, |grade| grade.severity) {
        Severity::Warning if vendor => Severity::Notice,
        severity => severity,
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::drift::model::Status;

    #[test]
    fn every_code_of_drift_has_a_grade_and_nothing_else_has() {
        let source = include_str!("../../drift/model.rs");
        let (_, codes) = source.split_once("pub mod codes {").unwrap();
        let (codes, _) = codes.split_once("\n}\n").unwrap();
        let problems = codes.lines().filter_map(|line| line.split('"').nth(1));
        let statuses = Status::ALL.into_iter().filter(|status| status.is_drift()).map(Status::name);
        let mut expected: Vec<&str> = problems.chain(statuses).collect();
        let mut found: Vec<&str> = GRADES.iter().map(|grade| grade.code).collect();
        expected.sort_unstable();
        found.sort_unstable();
        assert_eq!(found, expected);
    }

    #[test]
    fn a_vendor_s_line_is_a_note_and_what_stops_the_loader_is_critical_wherever_it_is() {
        assert_eq!(severity("dead", false), Severity::Warning);
        assert_eq!(severity("dead", true), Severity::Notice);
        assert_eq!(severity("blocks_loader", true), Severity::Critical);
    }
}
