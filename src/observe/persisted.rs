//! The persisted configuration: everything that a boot would read to set sysctls.
//!
//! In: the `sysctl.d` directories, `/etc/sysctl.conf`, ufw's file, the kernel's command line, credentials.
//! Out: [`Persisted`], their texts and what kind of file each is; bounded, whatever stands there.
//! Must not: parse a line, decide which one wins, open anything but a regular file, or follow a link out of the root.

pub mod command_line;
mod files;
mod model;
mod system;

use crate::host::Host;
use crate::observe::gap::Gap;

pub use model::{Directory, DirectoryState, File, FileKind, Loader, LoaderFound, Persisted, Source, Ufw};

/// Reads what a boot would read. What could not be read is said in the record itself, and a gap (`persisted`) each.
pub fn read(host: &Host) -> (Persisted, Vec<Gap>) {
    let mut reading = files::Reading::new(host);
    reading.directories();
    reading.file("/etc/sysctl.conf", Source::SysctlConf);
    for path in CREDENTIALS {
        // The first is a copy of the second that the unit was given.
        if reading.file(path, Source::Credential) {
            break;
        }
    }
    let ufw = system::ufw(host);
    if let Some(file) = ufw.as_ref().and_then(|ufw| ufw.file.as_deref()) {
        reading.file(file, Source::Ufw);
    }
    let (directories, files, gaps) = reading.done();
    let persisted = Persisted {
        loader: system::loader(host),
        directories,
        files,
        command_line: system::text(host, "/proc/cmdline").map(|text| command_line::settings(&text)),
        ufw,
        procps_version: system::procps_version(host),
        namespace: host.read_link("/proc/1/ns/net").ok().filter(|_| host.is_live()),
    };
    (persisted, gaps)
}

/// These files alone, as if nothing else set anything at boot. The error is the first one that does not exist.
pub fn only(host: &Host, paths: &[String]) -> Result<(Persisted, Vec<Gap>), String> {
    let mut reading = files::Reading::new(host);
    if let Some(missing) = paths.iter().find(|path| !reading.file(path, Source::Directory)) {
        return Err(missing.clone());
    }
    let (directories, files, gaps) = reading.done();
    Ok((Persisted { loader: system::loader(host), directories, files, ..Persisted::default() }, gaps))
}

const CREDENTIALS: [&str; 2] =
    ["/run/credentials/systemd-sysctl.service/sysctl.extra", "/run/credentials/@system/sysctl.extra"];

#[cfg(test)]
mod tests;
