//! Why a value that the files set, and that the kernel accepts, is not effective.
//!
//! In: the facts of a diagnosis. Out: a [`Diagnosis`] with its evidence in words, and the status that follows from it.
//! Must not: guess where the facts decide; what is only likely says so.

use super::evidence::Evidence;
use super::knowledge::{interface_of, module_of};
use crate::drift::model::{Assignment, Diagnosis, FOLLOWS, Status};
use crate::drift::value::{quoted, same};
use crate::host::rehearse::Answer;
use crate::keys::{self, folded};
use crate::observe::persisted::Loader;
use crate::observe::surroundings::KeyState;

/// Finds the cause of a difference; the first whose evidence is there.
pub(super) fn find(evidence: &Evidence<'_>, key: &str, winner: &Assignment, runtime: &str) -> Diagnosis {
    let causes = [
        no_such_control,
        fresh_namespace,
        by_order,
        file_is_newer,
        other_program,
        module_later,
        interface_later,
        set_explicitly,
    ];
    let difference = Difference { evidence, key, winner, runtime };
    causes.iter().find_map(|cause| cause(&difference)).unwrap_or_else(|| unexplained(&difference))
}

struct Difference<'a> {
    evidence: &'a Evidence<'a>,
    key: &'a str,
    winner: &'a Assignment,
    runtime: &'a str,
}

impl Difference<'_> {
    /// The kernel's own default, where it is one fixed value.
    fn default(&self) -> Option<&'static str> {
        keys::catalogue().get(self.key)?.default.as_deref()
    }

    fn is_at_default(&self) -> bool {
        self.default().is_some_and(|default| same(self.key, default, self.runtime))
    }

    fn place(&self) -> String {
        format!("{}:{}", self.winner.file, self.winner.line)
    }

    /// When the loader ran, where that is known.
    fn loaded_at(&self) -> Option<i64> {
        let around = self.evidence.surroundings;
        around.loader_ran_at.filter(|_| around.own_boot != Some(false))
    }

    /// When the loader ran, or else when the system started, and which of the two it is.
    fn began(&self) -> Option<(i64, &'static str)> {
        let around = self.evidence.surroundings;
        let is_ours = around.own_boot.unwrap_or(self.evidence.initial);
        let booted = around.booted_at.filter(|_| is_ours).map(|time| (time, "this system booted"));
        self.loaded_at().map(|time| (time, "the files were loaded")).or(booted)
    }
}

/// A congestion control that this kernel does not have now; where it certainly cannot get it the line is refused already.
fn no_such_control(difference: &Difference<'_>) -> Option<Diagnosis> {
    let Difference { evidence, winner, key, .. } = difference;
    let known = evidence.sysctls?.get("net.ipv4.tcp_available_congestion_control")?;
    let name = winner.value.as_str();
    if *key != "net.ipv4.tcp_congestion_control" || known.split_ascii_whitespace().any(|other| other == name) {
        return None;
    }
    let text = format!(
        "The kernel does not have the congestion control {} now (it has {}). A boot sets it only if the kernel can load \
         the module tcp_{name}.",
        quoted(name),
        folded(known)
    );
    Some(Diagnosis::new(Status::NotInForce, "congestion_control_missing", text))
}

/// Network namespaces begin with values of their own; no loader runs for them.
fn fresh_namespace(difference: &Difference<'_>) -> Option<Diagnosis> {
    let around = difference.evidence.surroundings;
    if difference.evidence.initial || (around.own_boot != Some(false) && !around.sysctls_read_only) {
        return None;
    }
    let (code, from) = if difference.is_at_default() {
        ("namespace_defaults", format!("It started with the kernel's default {}.", quoted(&folded(difference.runtime))))
    } else {
        ("namespace_value", "It started with a value of its own, or something set the value here.".to_owned())
    };
    let text = format!(
        "This is not the network namespace that the machine booted in. {from} The files are loaded only into the host's \
         own namespace."
    );
    Some(Diagnosis::new(Status::NotInForce, code, text))
}

/// A line that is loaded later changes the value again: seen in the rehearsal, or known of `ip_forward`.
fn by_order(difference: &Difference<'_>) -> Option<Diagnosis> {
    let Difference { evidence, key, runtime, .. } = *difference;
    let changed_again = match evidence.rehearsed.get(key) {
        Some(Answer::Taken { at_once, at_end }) => !same(key, at_once, at_end) && same(key, at_end, runtime),
        _ => false,
    };
    // `inet_forward_change()` in net/ipv4/devinet.c sets it to the opposite.
    let resets = key == "net.ipv4.conf.all.accept_redirects" && ["0", "1"].contains(&folded(runtime).as_str());
    let forward = evidence.resolution.keys.get("net.ipv4.ip_forward").filter(|_| key.starts_with("net.ipv4.conf."));
    match forward {
        Some(line) if changed_again || (resets && folded(&line.winner.value) != folded(runtime)) => {
            let text = format!(
                "A write to net.ipv4.ip_forward sets this key again, and {}:{} writes it. Put the line of this key \
                 after that line.",
                line.winner.file, line.winner.line
            );
            Some(Diagnosis::new(Status::NotInForce, "reset_by_ip_forward", text))
        }
        _ if changed_again => {
            let text = "A line that is loaded later changes the value again. This was seen when all lines were tried in a \
                        scratch network namespace.";
            Some(Diagnosis::new(Status::NotInForce, "reset_by_later_line", text))
        }
        _ => None,
    }
}

fn file_is_newer(difference: &Difference<'_>) -> Option<Diagnosis> {
    let changed = *difference.evidence.surroundings.changed_at.get(&difference.winner.file)?;
    let (began, what) = difference.began()?;
    // Without the loader's own time the file may have been loaded by hand; a value that is no default speaks for that.
    let may_be_loaded =
        difference.loaded_at().is_none() && difference.default().is_some() && !difference.is_at_default();
    if changed <= began || may_be_loaded {
        return None;
    }
    let text = format!(
        "{} was changed {} after {what}. It has not been loaded since, or the key was changed later.",
        difference.winner.file,
        crate::units::duration((changed - began) as f64)
    );
    Some(Diagnosis::new(Status::NotInForce, "file_changed_since", text))
}

fn other_program(difference: &Difference<'_>) -> Option<Diagnosis> {
    let text = difference.evidence.writer(difference.key)?;
    Some(Diagnosis::new(Status::NotInForce, "other_program", text))
}

fn module_later(difference: &Difference<'_>) -> Option<Diagnosis> {
    let around = difference.evidence.surroundings;
    let module = module_of(difference.key).filter(|module| difference.evidence.is_loaded(module))?;
    if around.modules_at_boot.contains(module) || around.own_boot == Some(false) {
        return None;
    }
    let text = format!(
        "The module {module} provides this key. The module is loaded now and is not in modules-load.d. Very likely it was \
         loaded after the files, so the key did not exist yet when the files were loaded."
    );
    Some(Diagnosis::new(Status::NotInForce, "module_loaded_later", text))
}

fn interface_later(difference: &Difference<'_>) -> Option<Diagnosis> {
    let Difference { evidence, key, runtime, .. } = *difference;
    let around = evidence.surroundings;
    let interface = interface_of(key).filter(|name| name != "lo")?;
    if difference.winner.spread_from.is_some() || around.own_boot == Some(false) {
        return None;
    }
    if let (Some(since), Some(loaded)) = (around.interface_since.get(&interface), difference.loaded_at()) {
        if since <= &loaded {
            return None;
        }
        let text = format!(
            "The interface {interface} appeared {} after the files were loaded, so its keys did not exist yet.",
            crate::units::duration((since - loaded) as f64)
        );
        return Some(Diagnosis::new(Status::NotInForce, "interface_came_later", text));
    }
    // systemd's udev rules load the files for each interface that comes.
    let applied_when_it_comes =
        evidence.resolution.loader == Loader::Systemd && around.programs.contains_key("systemd-udevd");
    let dotless = interface.replace('.', "/");
    let default = key.replacen(&format!(".{dotless}."), ".default.", 1);
    let inherited = evidence.sysctls?.get(&default).is_some_and(|default| same(key, default, runtime));
    if applied_when_it_comes || !inherited {
        return None;
    }
    let text = format!(
        "It has the value of {default}, with which each new interface starts. Very likely {interface} appeared after the \
         files were loaded, so its keys did not exist yet."
    );
    Some(Diagnosis::new(Status::NotInForce, "interface_came_later", text))
}

/// The kernel passes `conf.default` on only to interfaces whose own key was never written.
fn set_explicitly(difference: &Difference<'_>) -> Option<Diagnosis> {
    let from = difference.winner.spread_from.as_deref()?;
    let evidence = difference.evidence;
    let source = evidence.resolution.keys.get(from).map(|line| line.winner.value.as_str());
    if let (Some(value), KeyState::Value(in_force)) = (source, evidence.state(from))
        && !same(from, value, &in_force)
    {
        let text = format!("It follows {from}, whose value in the files is not effective.");
        return Some(Diagnosis::new(Status::NotInForce, FOLLOWS, text));
    }
    if !from.contains(".default.") {
        let place = difference.place();
        let text =
            format!("{place} sets {from}, and the kernel sets this key with it. Something has written this key since.");
        return Some(at_runtime(evidence, "changed_at_runtime", text));
    }
    let text = format!(
        "{} sets {from}. The kernel copies that value to this key only until the key itself is written. Something has \
         written it.",
        difference.place()
    );
    Some(at_runtime(evidence, "set_explicitly", text))
}

/// Something set the key at runtime: a boot undoes that where one sets up the namespace.
fn at_runtime(evidence: &Evidence<'_>, code: &'static str, text: String) -> Diagnosis {
    let status = if evidence.is_booted() { Status::RuntimeOnly } else { Status::NotInForce };
    Diagnosis::new(status, code, text)
}

fn unexplained(difference: &Difference<'_>) -> Diagnosis {
    let around = difference.evidence.surroundings;
    let by_hand = match difference.evidence.is_booted() {
        true => "by hand or by a program. A reboot reverts the change.",
        false => "by hand or by a program. It is not known whether a boot loads the files into this network namespace.",
    };
    let changed = |text: String| at_runtime(difference.evidence, "changed_at_runtime", text);
    if interface_of(difference.key).is_some() {
        return changed(format!("Something set this key of the interface at runtime, {by_hand}"));
    }
    if around.loader_ran_at.is_some() && difference.loaded_at().is_some() {
        let place = difference.place();
        return changed(format!(
            "{place} was loaded when this system booted. The value was changed at runtime after that, {by_hand}"
        ));
    }
    let without_systemd = around.init.as_deref().filter(|init| *init != "systemd" && *init != "init");
    let may_be_loaded = difference.default().is_some() && !difference.is_at_default();
    if let Some(init) =
        without_systemd.filter(|_| difference.evidence.resolution.loader == Loader::Systemd && !may_be_loaded)
    {
        let text = format!(
            "systemd does not run here (process 1 is {init}), so nothing loads the files at boot. Somebody may have loaded \
             them by hand."
        );
        return Diagnosis::new(Status::NotInForce, "loader_did_not_run", text);
    }
    match difference.default() {
        Some(_) if difference.is_at_default() => {
            let text = "It has the kernel's default. Either the files have not been loaded, or something has set the \
                        default again.";
            Diagnosis::new(Status::NotInForce, "at_default", text)
        }
        Some(default) => {
            let default = quoted(default);
            changed(format!(
                "It has neither the value of the files nor the kernel's default {default}. It was changed at runtime, {by_hand}"
            ))
        }
        None => {
            let text = "Either the files have not been loaded since they were written, or something has changed the key at \
                        runtime. Nothing was found that shows which of the two.";
            Diagnosis::new(Status::NotInForce, "unknown", text)
        }
    }
}
