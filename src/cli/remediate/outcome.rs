//! What becomes of the answers: written, saved as a plan, exported, or kept.
//!
//! In: a conversation, how it ended. Out: changes with a journal, waivers, files; the commands to type next. Must not: make
//! permanent what was chosen for the running system only.

use std::path::{Path, PathBuf};
use std::process::ExitCode;

use anyhow::anyhow;

use super::desk::Desk;
use super::summary::Chosen;
use super::talk::{End, Talk};
use crate::apply::run::apply::ApplyOptions;
use crate::apply::run::namespaces;
use crate::audit::model::Waiver;
use crate::audit::waivers;
use crate::cli::again;
use crate::cli::apply::measure;
use crate::cli::confirm::{failure, teller};
use crate::cli::console::Stop;
use crate::cli::exit::{Exit, Failure, Outcome};
use crate::cli::export::{self, Asked};
use crate::cli::output;
use crate::cli::questions;
use crate::export::{DROP_IN, FORMATS, named};
use crate::host::Host;
use crate::plan::model::Plan;
use crate::plan::order;
use crate::plan::store as plans;
use crate::units;

/// The format whose result sets values until the next boot.
const COMMANDS: &str = "sysctl-commands";

impl Chosen {
    /// The plans in the order in which they are to be applied, each with whether it is for the running system only.
    fn parts(&self) -> Vec<(&Plan, bool)> {
        let mut parts = vec![(&self.lasting, false), (&self.passing, true)];
        let (one, other) = (&self.lasting.changes, &self.passing.changes);
        if order::precedes(other, one) && !order::precedes(one, other) {
            parts.reverse();
        }
        parts.retain(|(plan, _)| !plan.changes.is_empty());
        parts
    }
}

impl Talk<'_> {
    /// Gives the terminal back, and does what the person decided.
    pub(super) fn end(self, ended: Result<End, Stop>) -> Outcome {
        let Self { console, machine, keeper, desk, farewell, .. } = self;
        let kept = machine.answers().count();
        let quit = || {
            output::say("Nothing was written.\n");
            if kept > 0 && keeper.path().is_some() {
                let answers = units::quantity_of(kept, "answers");
                output::say(&format!("Kept: {answers}. To continue:\n  {}\n", desk.again.command("remediate", &[])));
            }
            farewell.iter().for_each(|text| output::say(text));
            Ok(ExitCode::SUCCESS)
        };
        match ended {
            Ok(End::Write(chosen)) => {
                drop(console);
                let waived = Desk::waived(&machine);
                desk.write(&chosen, &waived)?;
                Ok(keeper.forget().map(|()| ExitCode::SUCCESS)?)
            }
            Ok(End::ThrownAway) => {
                drop(console);
                output::say("Nothing was written, and the answers were thrown away.\n");
                Ok(ExitCode::SUCCESS)
            }
            Ok(End::Quit) | Err(Stop::Asked | Stop::Closed) => {
                drop(console);
                quit()
            }
            Err(Stop::Signal(signal)) => {
                console.end_by(signal)?;
                Ok(ExitCode::SUCCESS)
            }
            Err(Stop::Failed(failure)) => {
                drop(console);
                Err(failure)
            }
        }
    }

    /// Writes the plan, or two where a part is for the running system only.
    pub(super) fn save(&mut self, chosen: &Chosen) -> Result<(), Stop> {
        let name = self.console.line("File for the plan:", "", Some("plan.json"), plan_file)?;
        let Some(name) = name else { return Ok(()) };
        let parts = chosen.parts();
        let several = parts.len() > 1;
        let (mut commands, mut names) = (Vec::new(), Vec::new());
        for (plan, runtime_only) in parts {
            let path = if several && runtime_only { beside(&name) } else { name.clone() };
            let text = plans::render(plan).map_err(Failure::from)?;
            if let Err(error) = output::deliver(&text, Some(&path)) {
                self.note = error.to_string();
                return Ok(());
            }
            let path = path.display().to_string();
            let words = if runtime_only { vec!["--runtime-only", &path] } else { vec![path.as_str()] };
            commands.push((self.desk.again.command("apply", &words), "apply it"));
            names.push(path);
        }
        self.note = format!("Saved in {}. Nothing was written to the running system.", names.join(" and "));
        self.farewell.push(format!("Saved in {}.\n{}", names.join(" and "), again::list(&commands)));
        Ok(())
    }

    /// Shows or writes the changes in the form of another tool.
    pub(super) fn export(&mut self, chosen: &Chosen) -> Result<(), Stop> {
        let names: Vec<&str> = FORMATS.iter().map(|format| format.name).collect();
        let question = format!("Format, one of {}:", names.join(" "));
        let Some(format) = self.console.line(&question, "", names.first().copied(), named)? else { return Ok(()) };
        let question = "File or folder to write to; empty: show it.";
        let Some(place) = self.console.line(question, "", None, |line| Ok::<_, String>(line.to_owned()))? else {
            return Ok(());
        };
        let (mut plan, mut said) = (chosen.lasting.clone(), Vec::new());
        let passing = &chosen.passing.changes;
        if format.name == COMMANDS || plan.changes.is_empty() {
            plan.changes.extend(passing.iter().cloned());
        } else if !passing.is_empty() {
            let left = units::quantity_of(passing.len(), "changes");
            said.push(format!("{left} for the running system only left out"));
        }
        let asked = Asked { format, style: None, drop_in: DROP_IN, kubernetes_minor: None, root: None };
        let ready = match export::ready(&mut plan, &asked) {
            Ok(ready) => ready,
            Err(failure) => {
                self.note = failure.error.to_string();
                return Ok(());
            }
        };
        said.extend(ready.warnings.into_iter().chain(ready.missing));
        if place.is_empty() {
            let texts: Vec<String> = ready.files.iter().map(|file| format!("# {}\n{}", file.path, file.text)).collect();
            self.console.read(&texts.join("\n"))?;
        } else {
            match export::deliver(&ready.files, Some(Path::new(&place))) {
                Ok(missing) => said.extend(missing),
                Err(failure) => said.insert(0, failure.error.to_string()),
            }
            self.farewell.push(format!("Exported as {} to {place}.\n", format.name));
            said.insert(0, format!("Exported as {} to {place}", format.name));
        }
        self.note = said.join("; ");
        Ok(())
    }
}

/// A name for a plan: it overwrites nothing but a plan.
fn plan_file(line: &str) -> Result<PathBuf, String> {
    let path = PathBuf::from(questions::text(line)?);
    if line == "-" {
        return Err("expected the name of a file".to_owned());
    }
    match path.symlink_metadata() {
        Ok(_) if plans::read(&path).is_err() => Err(format!("{line} exists and is not a plan")),
        _ => Ok(path),
    }
}

/// `plan.json` as `plan-running.json`.
fn beside(name: &Path) -> PathBuf {
    let stem = name.file_stem().unwrap_or_default().to_string_lossy();
    let extension = name.extension().map(|it| format!(".{}", it.to_string_lossy())).unwrap_or_default();
    name.with_file_name(format!("{stem}-running{extension}"))
}

impl Desk<'_> {
    /// Applies what was chosen and appends the waivers.
    fn write(&self, chosen: &Chosen, waived: &[Waiver]) -> Result<(), Failure> {
        for (plan, runtime_only) in chosen.parts() {
            self.apply(plan, runtime_only)?;
        }
        for waiver in waived {
            waivers::append(self.waivers, waiver)?;
            output::say(&format!("{} is waived until {} in {}.\n", waiver.rule, waiver.until, self.waivers.display()));
        }
        Ok(())
    }

    /// Applies on a thread of its own: it confines itself to the plan's keys, and others are still to be written.
    fn apply(&self, plan: &Plan, runtime_only: bool) -> Result<(), Failure> {
        let baseline = measure(plan, self.window, self.global);
        let options = ApplyOptions { baseline: baseline.as_ref(), ..self.options(runtime_only) };
        let host = Host::live();
        let work = || {
            let parts = namespaces::preflight(&host, plan, &options)?;
            namespaces::apply(&host, &parts, &options, &mut teller(self.global.quiet))
        };
        let ids = std::thread::scope(|scope| scope.spawn(work).join())
            .map_err(|_| {
                let changes = self.again.command("changes", &[]);
                Exit::NotApplied.because(anyhow!("the change was interrupted; `{changes}` shows what was done"))
            })?
            .map_err(|error| failure(error, false))?;
        let permanent = if runtime_only { "keep it until the next boot" } else { "make it permanent" };
        for id in ids {
            let word = id.to_string();
            let commands = [
                (self.again.command("confirm", &[&word]), permanent),
                (self.again.command("rollback", &[&word]), "roll it back"),
            ];
            output::say(&format!("Change {id} is effective.\n{}", again::list(&commands)));
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_plan_overwrites_only_a_plan() {
        let folder = tempfile::tempdir().unwrap();
        let path = |name: &str| folder.path().join(name).to_str().unwrap().to_owned();
        std::fs::write(path("hosts"), "127.0.0.1 localhost").unwrap();
        std::fs::write(path("plan.json"), plans::render(&crate::plan::example::plan()).unwrap()).unwrap();
        assert!(plan_file(&path("hosts")).unwrap_err().contains("is not a plan"));
        assert!(plan_file(&path("plan.json")).is_ok() && plan_file(&path("new.json")).is_ok());
        assert!(plan_file("-").is_err() && plan_file("").is_err());
        assert_eq!(beside(Path::new("/a/plan.json")), Path::new("/a/plan-running.json"));
    }
}
