//! What `drift` looks at: the files, the values in force and the facts around them, of this host or of a snapshot.
//!
//! In: a root and a namespace, or a snapshot. Out: a [`Scene`], and the [`Drift`] of it. Must not: give another diagnosis
//! of a snapshot than of the host that it was taken of.

use std::collections::BTreeMap;
use std::path::Path;

use super::error::SessionError;
use super::rehearse::ask as ask_kernel;
use crate::drift::load::start::{Addressed, Moment};
use crate::drift::model::{Drift, Resolution};
use crate::drift::{self, Facts, trials};
use crate::host::Host;
use crate::host::netns::{self, Place, Which};
use crate::host::rehearse::Answer;
use crate::observe::addresses;
use crate::observe::gap::Gap;
use crate::observe::kernels::Kernels;
use crate::observe::persisted::{self, Loader, Persisted};
use crate::observe::surroundings::{self, Surroundings};
use crate::observe::sysctls::{self, Sysctls};
use crate::observe::system::{self, SystemFacts};
use crate::snapshot::capture;
use crate::snapshot::{Rehearsal, Snapshot};

/// Which host, and what of it.
#[derive(Debug, Clone, Copy)]
pub struct Target<'a> {
    /// The root whose files are read; `None` is `/`.
    pub root: Option<&'a Path>,
    /// Only these files of it, whatever else a boot would read; all without any.
    pub files: &'a [String],
    /// Only these, which are no files of the host.
    pub declared: Option<&'a Persisted>,
    /// The namespace whose values are compared; `None`: nothing is compared.
    pub which: Option<&'a Which>,
    /// The loader runs now, by hand, and not at the next boot.
    pub now: bool,
}

/// Everything that the diagnosis is made of.
#[derive(Debug)]
pub struct Scene {
    pub persisted: Persisted,
    /// `None`: nothing is compared.
    pub sysctls: Option<Sysctls>,
    surroundings: Surroundings,
    system: SystemFacts,
    kernels: Kernels,
    initial: bool,
    /// Where the loader runs now: which interfaces have an address.
    addressed: Option<Addressed>,
    /// The name of the namespace whose values are compared.
    pub namespace: Option<String>,
    /// Whether the values are those of the system that the files are of.
    pub own_values: bool,
    pub gaps: Vec<Gap>,
    kernel: Kernel,
}

/// Whom to ask what the kernel makes of a value.
#[derive(Debug)]
enum Kernel {
    /// The one that runs here.
    Here,
    /// It was asked when the snapshot was taken.
    Recorded(Rehearsal),
    /// Nobody, for this reason.
    Unknown(&'static str),
    /// Nobody, and none is missed: the values are not those of a kernel that runs.
    None,
}

const NOT_RECORDED: &str = "the snapshot does not contain the kernel's answers to the values of the files; a value that the \
                            kernel rejects may be reported with another cause";

impl Scene {
    /// Observes this host.
    pub fn of_host(target: &Target<'_>) -> Result<Self, SessionError> {
        let files = target.root.map_or_else(Host::live, Host::recorded);
        // A captured tree brings the values along; an image without them is held against the kernel that runs here.
        let own_values = target.root.is_some_and(|root| root.join("proc/sys/net").is_dir());
        let running = if own_values { files.clone() } else { Host::live() };
        let (persisted, mut gaps) = match (target.declared, target.files) {
            (Some(declared), _) => (declared.clone(), Vec::new()),
            (None, []) => persisted::read(&files),
            (None, named) => persisted::only(&files, named).map_err(SessionError::NoFile)?,
        };
        let look = || Look::at(&running, &persisted, target);
        let (place, look) = match target.which {
            None => (None, look()),
            Some(which) => {
                let places: Vec<Place> = netns::resolve(which)?.places.into_iter().take(1).collect();
                let look = netns::visit(&places, |_, _| look()).pop().transpose()?;
                (places.into_iter().next(), look.ok_or(SessionError::NoValues)?)
            }
        };
        let Look { sysctls, gaps: unread, system, mut surroundings, identity, addressed } = look;
        gaps.extend(unread);
        if target.root.is_some() {
            // When another root's files were written says nothing about what this kernel has loaded.
            surroundings = surroundings.without_files();
        }
        let of_tree = target.root.filter(|_| !own_values || system.kernel.is_empty());
        let kernels = match of_tree {
            Some(_) => Kernels::of_root(&files, &Host::live()),
            None => Kernels::running(&system.kernel),
        };
        if sysctls.as_ref().is_some_and(Sysctls::is_empty) {
            return Err(SessionError::NoValues);
        }
        let named = place.filter(|place| !place.is_here() && !identity.initial);
        let name = named.map_or(identity.name, |place| place.name);
        Ok(Self {
            namespace: sysctls.is_some().then(|| name.into()),
            kernel: if sysctls.is_some() && !own_values { Kernel::Here } else { Kernel::None },
            own_values: own_values || target.root.is_none(),
            initial: identity.initial,
            persisted,
            sysctls,
            surroundings,
            system,
            kernels,
            addressed,
            gaps,
        })
    }

    /// Files that are of no host: nothing is compared. `initial`: they are for the machine, and not for a container.
    pub fn of_no_host(persisted: Persisted, kernel: &str, initial: bool) -> Self {
        Self {
            persisted,
            sysctls: None,
            surroundings: Surroundings::default(),
            system: SystemFacts { kernel: kernel.to_owned(), ..SystemFacts::default() },
            kernels: Kernels::named(kernel),
            addressed: None,
            initial,
            namespace: None,
            own_values: false,
            gaps: Vec::new(),
            kernel: Kernel::None,
        }
    }

    /// What a snapshot has of it; `file` is for the message where that is not enough.
    pub fn of_snapshot(snapshot: &Snapshot, file: &Path) -> Result<Self, SessionError> {
        let lacks = |lacks| SessionError::Lacks { file: file.display().to_string(), lacks };
        let of_older = "contains no configuration files, because an older version wrote it. Take a new one with \
                        `sysctl-advisor snapshot`";
        let (Some(persisted), Some(surroundings)) = (&snapshot.persisted, &snapshot.surroundings) else {
            return Err(lacks(of_older));
        };
        // The files are those of one namespace; see `Snapshot::surroundings`.
        let first = snapshot.namespaces.first().ok_or_else(|| lacks("contains no network namespace"))?;
        if first.sysctls.is_empty() {
            return Err(lacks("contains no sysctls of its first network namespace"));
        }
        let gaps = snapshot.gaps.iter().chain(&first.gaps).filter(|gap| is_about_files_or_values(gap));
        Ok(Self {
            persisted: persisted.clone(),
            sysctls: Some(first.sysctls.clone()),
            surroundings: surroundings.clone(),
            system: snapshot.system.clone(),
            kernels: Kernels::running(&snapshot.system.kernel),
            addressed: None,
            initial: first.initial,
            namespace: Some(first.name.to_string()),
            own_values: true,
            gaps: gaps.cloned().collect(),
            kernel: snapshot.rehearsal.clone().map_or(Kernel::Unknown(NOT_RECORDED), Kernel::Recorded),
        })
    }

    /// The same with other files, as if they were the only ones.
    #[must_use]
    pub fn with_files(self, persisted: Persisted) -> Self {
        Self { persisted, surroundings: self.surroundings.without_files(), kernel: Kernel::None, ..self }
    }

    /// Diagnoses. Without a `loader` the files are loaded as this system does. With `try_values` the kernel is asked what
    /// it makes of values that are not in force; where it could not be asked a gap is added.
    pub fn compare(&mut self, loader: Option<Loader>, try_values: bool) -> Drift {
        let loader = loader.unwrap_or_else(|| drift::loader_of(&self.persisted));
        let resolution = self.resolution(loader);
        let rehearsal = if try_values { self.rehearse(&resolution) } else { None };
        let answers = rehearsal.map(|Rehearsal { answers, failed, .. }| {
            self.gaps.extend(failed.map(|why| Gap { what: "rehearsal".to_owned(), why }));
            answers
        });
        drift::run(&self.facts(), resolution, &answers.unwrap_or_default())
    }

    /// What a boot with this loader would set.
    pub fn resolution(&self, loader: Loader) -> Resolution {
        drift::resolution(&self.facts(), loader)
    }

    /// When the loader runs that is foretold.
    pub fn moment(&self) -> Moment<'_> {
        self.facts().moment
    }

    /// The machine that the values are of.
    pub const fn system(&self) -> &SystemFacts {
        &self.system
    }

    fn facts(&self) -> Facts<'_> {
        Facts {
            persisted: &self.persisted,
            sysctls: self.sysctls.as_ref(),
            surroundings: &self.surroundings,
            system: &self.system,
            kernels: &self.kernels,
            initial: self.initial,
            moment: self.addressed.as_ref().map_or(Moment::Boot, Moment::Now),
        }
    }

    /// What the kernel says to the values of the files; `None` where there is no kernel to ask.
    fn rehearse(&self, resolution: &Resolution) -> Option<Rehearsal> {
        let loader = resolution.loader;
        let failed = |why: String| Rehearsal { loader, answers: BTreeMap::new(), failed: Some(why) };
        let trials = trials::worth_trying(resolution, self.sysctls.as_ref()?);
        match &self.kernel {
            Kernel::None => None,
            _ if trials.is_empty() => Some(Rehearsal { loader, answers: BTreeMap::new(), failed: None }),
            Kernel::Recorded(known) if known.loader == loader => Some(known.clone()),
            Kernel::Recorded(known) => Some(failed(format!(
                "the values of the files were tried in the order of the loader of {}, not in that of {}",
                known.loader.name(),
                loader.name()
            ))),
            Kernel::Unknown(why) => Some(failed((*why).to_owned())),
            Kernel::Here => Some(match ask(trials) {
                Ok(answers) => Rehearsal { loader, answers, failed: None },
                Err(error) => failed(format!("the values of the files were not tried: {error}")),
            }),
        }
    }
}

/// Asks the running kernel about the files' values and adds the answers to a snapshot that was just taken of this host,
/// since nobody can ask later.
pub fn record_rehearsal(snapshot: &mut Snapshot) {
    let Ok(scene) = Scene::of_snapshot(snapshot, Path::new("")) else { return };
    let scene = Scene { kernel: Kernel::Here, ..scene };
    let resolution = drift::resolution(&scene.facts(), drift::loader_of(&scene.persisted));
    snapshot.rehearsal = scene.rehearse(&resolution);
}

fn ask(trials: Vec<trials::Trial>) -> Result<BTreeMap<String, Answer>, String> {
    let lines: Vec<_> = trials.iter().map(|trial| (trial.path.clone(), trial.value.clone())).collect();
    Ok(trials.into_iter().map(|trial| trial.key).zip(ask_kernel(&lines)?).collect())
}

/// A snapshot's gaps of sockets and counters are nothing to `drift`.
fn is_about_files_or_values(gap: &Gap) -> bool {
    gap.what == "persisted" || gap.what == "net" || gap.what.starts_with("net.") || is_key(&gap.what)
}

fn is_key(what: &str) -> bool {
    crate::keys::catalogue().get(what).is_some()
}

/// What one namespace shows.
struct Look {
    sysctls: Option<Sysctls>,
    gaps: Vec<Gap>,
    system: SystemFacts,
    surroundings: Surroundings,
    identity: capture::Identity,
    addressed: Option<Addressed>,
}

impl Look {
    /// Looks at the namespace of the calling thread.
    fn at(running: &Host, persisted: &Persisted, target: &Target<'_>) -> Self {
        let compared = target.which.is_some();
        let (sysctls, gaps) = if compared { sysctls::read(running) } else { (Sysctls::new(), Vec::new()) };
        let (system, _) = system::read(running);
        let surroundings = surroundings::read(running, persisted, &[&sysctls]);
        let identity = capture::identity(running, &sysctls);
        let addressed = target.now.then(addresses::read);
        Self { sysctls: compared.then_some(sysctls), gaps, system, surroundings, identity, addressed }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::observe::persisted::{File, FileKind, Source};
    use crate::report::example;

    /// The example with one line of configuration.
    fn snapshot(key: &str, value: &str) -> Snapshot {
        let text = format!("{key} = {value}\n");
        let file = File {
            path: "/etc/sysctl.d/a.conf".to_owned(),
            source: Source::Directory,
            link: None,
            kind: FileKind::Regular,
            mode: None,
            uid: None,
            bytes: text.len() as u64,
            text: Some(text),
            cut: false,
            not_utf8: false,
        };
        let mut snapshot = example::snapshot();
        snapshot.persisted = Some(Persisted { files: vec![file], ..Persisted::default() });
        snapshot.surroundings = Some(Surroundings::default());
        snapshot.namespaces[0].sysctls = [("net.ipv4.tcp_tw_reuse".to_owned(), "2".to_owned())].into();
        snapshot
    }

    fn scene(snapshot: &Snapshot) -> Scene {
        Scene::of_snapshot(snapshot, Path::new("s.json")).unwrap()
    }

    fn code(drift: &Drift) -> &'static str {
        drift.keys[0].cause.as_ref().map_or("", |cause| cause.code)
    }

    fn recorded(answer: Answer) -> Option<Rehearsal> {
        let answers = [("net.ipv4.tcp_tw_reuse".to_owned(), answer)].into();
        Some(Rehearsal { loader: Loader::Systemd, answers, failed: None })
    }

    #[test]
    fn what_the_kernel_said_is_taken_from_the_snapshot_unless_nobody_asks() {
        let mut snapshot = snapshot("net.ipv4.tcp_tw_reuse", "9");
        snapshot.rehearsal = recorded(Answer::Refused("Invalid argument".to_owned()));
        let mut scene = scene(&snapshot);
        assert_eq!(code(&scene.compare(None, true)), "refused");
        assert_eq!(code(&scene.compare(None, false)), "out_of_range");
        assert_eq!(scene.gaps, []);
    }

    #[test]
    fn what_was_not_recorded_is_a_gap_only_where_a_value_is_not_in_force() {
        let gaps = |value: &str| {
            let mut scene = scene(&snapshot("net.ipv4.tcp_tw_reuse", value));
            scene.compare(None, true);
            scene.gaps.into_iter().map(|gap| gap.what).collect::<Vec<_>>()
        };
        assert_eq!(gaps("1"), ["rehearsal"]);
        assert_eq!(gaps("2"), Vec::<String>::new());
    }

    #[test]
    fn an_answer_is_not_used_for_the_order_of_another_loader() {
        let mut snapshot = snapshot("net.ipv4.tcp_tw_reuse", "9");
        snapshot.rehearsal = recorded(Answer::Refused("Invalid argument".to_owned()));
        let mut scene = scene(&snapshot);
        assert_eq!(code(&scene.compare(Some(Loader::Procps), true)), "out_of_range");
        assert!(scene.gaps[0].why.contains("not in that of procps"), "{:?}", scene.gaps);
    }

    #[test]
    fn gaps_of_sockets_and_counters_are_left_out() {
        let mut snapshot = snapshot("net.ipv4.tcp_tw_reuse", "2");
        let gap = |what: &str| Gap { what: what.to_owned(), why: "why".to_owned() };
        snapshot.gaps = ["persisted", "host.name", "netns", "fs.nr_open"].map(gap).into();
        snapshot.namespaces[0].gaps = ["counters.TcpExt", "sockets", "net.ipv4.conf", "net", "owners"].map(gap).into();
        let kept: Vec<String> = scene(&snapshot).gaps.into_iter().map(|gap| gap.what).collect();
        assert_eq!(kept, ["persisted", "fs.nr_open", "net.ipv4.conf", "net"]);
    }

    #[test]
    fn a_snapshot_without_files_or_values_is_refused_with_the_reason() {
        let refused = |snapshot: &Snapshot| Scene::of_snapshot(snapshot, Path::new("s.json")).unwrap_err().to_string();
        let mut without = snapshot("net.ipv4.tcp_tw_reuse", "2");
        without.namespaces[0].sysctls.clear();
        assert_eq!(refused(&without), "s.json: this snapshot contains no sysctls of its first network namespace");
        without.namespaces.clear();
        assert_eq!(refused(&without), "s.json: this snapshot contains no network namespace");
        without.persisted = None;
        assert!(refused(&without).contains("contains no configuration files"), "{}", refused(&without));
    }
}
