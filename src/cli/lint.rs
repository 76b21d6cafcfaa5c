//! `lint`: reviews files of configuration management, without a host.

use std::path::PathBuf;
use std::process::ExitCode;

use clap::Args;

use super::args::{Format, RemarkFormat, RuleArgs};
use super::exit::{Exit, Failure, Outcome, as_check};
use super::export::kubernetes_minor;
use super::output::{self, Terminal};
use crate::config::{Config, ConfigError};
use crate::declared::Syntax;
use crate::diagnostic::Diagnostics;
use crate::keys;
use crate::model::Severity;
use crate::report::remarks::{self, Remarks};
use crate::report::theme::Theme;
use crate::session::lint::{self, Target};

/// Review the values in files of sysctl.d, Ansible, Puppet, Salt, NixOS, Kubernetes and others, without a host
#[derive(Debug, Args)]
#[command(after_help = "\
Examples:
  sysctl-advisor lint etc/sysctl.d/*.conf            files of sysctl.d
  sysctl-advisor lint group_vars/*.yml               variables and tasks of Ansible
  sysctl-advisor lint --kernel 5.15 hiera/web.yaml   for an older kernel
  nix eval --json .#boot.kernel.sysctl | sysctl-advisor lint -
  kustomize build | sysctl-advisor lint --kubernetes-version 1.31 -

Where values are found: names of keys with a value (`net.core.somaxconn: 4096`), maps with `name` and `value`, lists \
called `sysctls`, files of sysctl.d and profiles of TuneD that a document contains, and `sysctl -w` commands. Values \
that are set together are reviewed together. A template has to be rendered first; values with `{{ }}` are counted and \
not examined.")]
pub(super) struct LintArgs {
    /// Files to review; `-` is standard input
    #[arg(value_name = "FILE", required = true)]
    files: Vec<PathBuf>,
    /// The kernel that the files are for, such as 6.1 [default: the newest that is known]
    #[arg(long, value_name = "VERSION", default_value = keys::NEWEST_KERNEL, hide_default_value = true, value_parser = kernel)]
    kernel: String,
    /// The version of the Kubernetes cluster, such as 1.29: which sysctls a pod may set [default: 1.37]
    #[arg(long, value_name = "VERSION", value_parser = kubernetes_minor)]
    kubernetes_version: Option<u32>,
    /// How the files are written: sysctl.d, tuned, yaml, json or toml [default: by name and content]
    #[arg(long, value_name = "SYNTAX", value_parser = syntax)]
    syntax: Option<Syntax>,
    /// Output format
    #[arg(long, value_name = "FORMAT", default_value = "text", value_parser = RemarkFormat::parser(&[Format::Text]))]
    format: RemarkFormat,
    /// Exit with code 10 if a remark has at least this severity: notice, warning, critical, or never
    #[arg(long, value_name = "SEVERITY", default_value = "warning", value_parser = fail_on)]
    fail_on: FailOn,
    /// Write the report to a file instead of standard output
    #[arg(short, long, value_name = "FILE")]
    output: Option<PathBuf>,
    #[command(flatten)]
    rules: RuleArgs,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum FailOn {
    Never,
    From(Severity),
}

fn kernel(text: &str) -> Result<String, String> {
    let is_release =
        keys::release(text).is_some_and(|(major, _)| major > 1) && text.starts_with(|c: char| c.is_ascii_digit());
    is_release.then(|| text.to_owned()).ok_or_else(|| "expected a version such as 6.1".to_owned())
}

fn syntax(text: &str) -> Result<Syntax, String> {
    let names = || Syntax::ALL.map(|(name, _)| name).join(", ");
    Syntax::named(text).ok_or_else(|| format!("expected one of {}", names()))
}

fn fail_on(text: &str) -> Result<FailOn, String> {
    match text {
        "never" => Ok(FailOn::Never),
        _ => Severity::named(text)
            .map(FailOn::From)
            .ok_or_else(|| "expected notice, warning, critical or never".to_owned()),
    }
}

pub(super) fn run(
    args: &LintArgs,
    quiet: bool,
    config: impl FnOnce() -> Result<Config, ConfigError>,
    terminal: &Terminal,
) -> Outcome {
    let outcome = config().map_err(Failure::from).and_then(|config| report(args, quiet, &config, terminal));
    if args.format.is_check() { as_check(outcome) } else { outcome }
}

fn report(args: &LintArgs, quiet: bool, config: &Config, terminal: &Terminal) -> Outcome {
    let criteria = super::session::criteria(config, &args.rules, terminal)?;
    let target = Target { kernel: args.kernel.clone(), kubernetes_minor: args.kubernetes_version };
    let (mut linted, mut refused) = (Vec::new(), Vec::new());
    for file in &args.files {
        match lint::read(file, args.syntax) {
            Ok(declared) => {
                let reviewed = lint::lint(&declared, &target, &criteria);
                linted.push((declared, reviewed));
            }
            Err(error) => refused.push(error),
        }
    }
    // What can be read is told, whatever is wrong with the other files.
    if !linted.is_empty() {
        let remarks = remarks::of_lint(&linted, &target);
        let theme = if args.output.is_some() { Theme::plain() } else { terminal.theme() };
        output::stream(args.output.as_deref(), |output| match args.format {
            RemarkFormat::Own(_) => output.write_all(remarks::text(&remarks, &theme, quiet).as_bytes()),
            RemarkFormat::Shared(format) => format.write(&remarks, output),
        })?;
        if refused.is_empty() {
            return Ok(code(args, &remarks));
        }
    }
    Err(Failure::usage(Diagnostics(refused)))
}

fn code(args: &LintArgs, remarks: &Remarks) -> ExitCode {
    if args.format.is_check() {
        return ExitCode::from(remarks::state_of(remarks).number());
    }
    let is_found = |from| remarks.worst().is_some_and(|worst| worst >= from);
    let found = matches!(args.fail_on, FailOn::From(severity) if is_found(severity));
    if found { Exit::Found } else { Exit::Done }.code()
}
