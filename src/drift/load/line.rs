//! A line of one of the files, with the path that the loader makes of its key.
//!
//! In: an entry and its file. Out: [`Line`]. Must not: know other lines.

use super::parse::ParsedLine;
use crate::drift::key;
use crate::drift::model::{Assignment, Problem};
use crate::keys::Written;
use crate::observe::persisted::Loader;

/// One line with the file that it stands in.
pub(in crate::drift) struct Line {
    pub(in crate::drift) file: String,
    pub(in crate::drift) entry: ParsedLine,
    /// Below `/proc/sys`, as the loader compares it.
    pub(in crate::drift) path: String,
    pub(in crate::drift) loader: Loader,
}

impl Line {
    /// The key in our form; `None` for a pattern or what can be no key.
    pub(in crate::drift) fn key(&self) -> Option<String> {
        if key::is_glob(&self.path) { None } else { key::from_path(&self.path, self.loader) }
    }

    pub(in crate::drift) fn assignment(
        &self,
        written: &Written,
        from_glob: bool,
        spread_from: Option<String>,
    ) -> Assignment {
        let text = self.entry.value.clone().unwrap_or_default();
        Assignment {
            value: written.value.clone().filter(|_| written.is_stored()).unwrap_or_else(|| text.clone()),
            text,
            written: written.clone(),
            file: self.file.clone(),
            line: self.entry.line,
            span: self.entry.span.clone(),
            ignore_failure: self.entry.ignore_failure,
            from_glob: from_glob.then(|| self.entry.name.clone()),
            spread_from,
        }
    }

    pub(in crate::drift) fn problem(&self, code: &'static str, text: String) -> Problem {
        let span = (self.entry.span.start, self.entry.span.end);
        Problem { file: self.file.clone(), line: self.entry.line, span, code, text }
    }
}
