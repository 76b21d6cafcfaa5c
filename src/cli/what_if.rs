//! `audit --set` and `audit --if-file`: which findings other values would bring and remove.

use std::path::{Path, PathBuf};

use clap::Args;

use super::exit::{Exit, Failure, Outcome};
use super::output::{self, Terminal};
use crate::config::Config;
use crate::declared::{self, Syntax};
use crate::observe::persisted::Persisted;
use crate::report::audit::what_if::{self as page, WhatIf};
use crate::report::theme::Theme;
use crate::session::{Criteria, SessionError, lint, what_if};
use crate::snapshot::Snapshot;

/// The values of a question.
#[derive(Debug, Args)]
#[command(next_help_heading = "What if")]
pub(super) struct WhatIfArgs {
    /// Report which findings would appear and vanish if the key had this value. Nothing is changed. Can be repeated
    #[arg(long = "set", value_name = "KEY=VALUE", value_parser = assignment)]
    values: Vec<String>,
    /// The same for the values in a file of sysctl.d, Ansible, Kubernetes and others (see `lint --help`)
    #[arg(long, value_name = "FILE", conflicts_with = "values")]
    if_file: Option<PathBuf>,
    /// Only the values at this place of the file, such as `spec.securityContext.sysctls`
    #[arg(long, value_name = "PLACE", requires = "if_file")]
    at: Option<String>,
}

/// The name under which the values of `--set` are a file.
const TYPED: &str = "--set";

fn assignment(text: &str) -> Result<String, String> {
    match text.split_once('=') {
        Some((key, _)) if !key.trim().is_empty() && !text.contains(['\n', '\r', '\0']) => Ok(text.to_owned()),
        _ => Err("expected KEY=VALUE".to_owned()),
    }
}

impl WhatIfArgs {
    pub(super) const fn is_asked(&self) -> bool {
        !self.values.is_empty() || self.if_file.is_some()
    }

    /// The values as the only file of a host.
    fn files(&self) -> Result<Persisted, Failure> {
        let declared = match &self.if_file {
            Some(file) => lint::read(file, None)?,
            None => declared::read(TYPED, &self.values.join("\n"), Some(Syntax::SysctlD))?,
        };
        let group = declared.at(self.at.as_deref())?;
        Ok(lint::alone(&declared, &group))
    }
}

/// How the answer is to look.
pub(super) struct Answer<'a> {
    pub(super) json: bool,
    pub(super) output: Option<&'a Path>,
    /// The snapshot's name.
    pub(super) file: &'a Path,
}

pub(super) fn run(
    args: &WhatIfArgs,
    answer: &Answer<'_>,
    snapshot: &Snapshot,
    criteria: &Criteria,
    config: &Config,
    terminal: &Terminal,
) -> Outcome {
    let supposed = what_if::suppose(snapshot, args.files()?, answer.file)?;
    if let Some(problem) = supposed.problems.first().filter(|_| !args.values.is_empty()) {
        return Err(Failure::usage(SessionError::NoSuchValue(problem.text.clone())));
    }
    for problem in &supposed.problems {
        tracing::warn!("{}:{}: {}", problem.file, problem.line, problem.text);
    }
    let (before, after) = (criteria.audit(snapshot), criteria.audit(&supposed.snapshot));
    let difference = what_if::difference(&before, &after, criteria);
    let page = WhatIf {
        hostname: &snapshot.system.hostname,
        taken_at: &snapshot.taken_at,
        changed: &supposed.changed,
        difference: &difference,
    };
    let theme = if answer.output.is_some() { Theme::plain() } else { terminal.theme() };
    let text = if answer.json { page::json(&page)? } else { page::text(&page, &theme) };
    output::deliver(&text, answer.output)?;
    let worst = difference.appear.iter().map(|finding| finding.severity).max();
    let failed = config.options.audit.fail_on.is_some_and(|limit| worst.is_some_and(|worst| worst >= limit));
    Ok(if failed { Exit::Found } else { Exit::Done }.code())
}
