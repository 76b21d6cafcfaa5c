//! The journal's native socket: entries with fields.
//!
//! In: fields and their values, of any content. Out: one entry in the journal, or why there is none. Must not: wait for a
//! journal that does not read, or let a value pass for another field.
//!
//! The crate `tracing-journald` speaks the same protocol and drops what cannot be sent. Here a message counts as
//! published only when the socket took it.

use std::io;
use std::os::unix::net::UnixDatagram;
use std::path::Path;
use std::time::Duration;

/// Where journald listens.
pub const SOCKET: &str = "/run/systemd/journal/socket";
/// A journal that stopped reading must not stop the agent.
const PATIENCE: Duration = Duration::from_secs(2);
/// Bytes of a value; some twenty fields stay far below what a datagram can hold.
const LONGEST: usize = 4096;

/// A connection that entries can be sent through.
#[derive(Debug)]
pub struct Journal {
    socket: UnixDatagram,
}

impl Journal {
    /// Connects to the journal's socket.
    pub fn connect(path: &Path) -> io::Result<Self> {
        let socket = UnixDatagram::unbound()?;
        socket.connect(path)?;
        socket.set_write_timeout(Some(PATIENCE))?;
        Ok(Self { socket })
    }

    /// Sends one entry. Names are letters, digits and `_`, as the journal wants them; a field without a value is left
    /// out.
    pub fn send(&self, fields: &[(&str, String)]) -> io::Result<()> {
        self.socket.send(&encode(fields)).map(drop)
    }
}

/// The native protocol's form for any value: name, new line, length in 8 bytes, value, new line.
fn encode(fields: &[(&str, String)]) -> Vec<u8> {
    let mut bytes = Vec::new();
    for (name, value) in fields.iter().filter(|(_, value)| !value.is_empty()) {
        let value = short(value);
        bytes.extend_from_slice(name.as_bytes());
        bytes.push(b'\n');
        bytes.extend_from_slice(&(value.len() as u64).to_le_bytes());
        bytes.extend_from_slice(value.as_bytes());
        bytes.push(b'\n');
    }
    bytes
}

fn short(value: &str) -> &str {
    let mut end = value.len().min(LONGEST);
    while !value.is_char_boundary(end) {
        end -= 1;
    }
    value.get(..end).unwrap_or_default()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_value_of_several_lines_stays_one_field() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("socket");
        assert!(Journal::connect(&path).is_err(), "nobody listens");
        let listener = UnixDatagram::bind(&path).unwrap();
        let journal = Journal::connect(&path).unwrap();
        journal.send(&[("MESSAGE", "a\nPRIORITY=0".to_owned()), ("EMPTY", String::new())]).unwrap();
        let mut buffer = [0; 100];
        let length = listener.recv(&mut buffer).unwrap();
        assert_eq!(&buffer[..length], b"MESSAGE\n\x0c\0\0\0\0\0\0\0a\nPRIORITY=0\n");
    }

    #[test]
    fn a_journal_that_does_not_read_does_not_stop_us() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("socket");
        let _listener = UnixDatagram::bind(&path).unwrap();
        let journal = Journal::connect(&path).unwrap();
        journal.socket.set_write_timeout(Some(Duration::from_millis(10))).unwrap();
        let entry = [("MESSAGE", "é".repeat(LONGEST))];
        let refused = (0..10_000).find_map(|_| journal.send(&entry).err());
        assert!(refused.is_some(), "its queue has an end");
        assert_eq!(short(&entry[0].1).len(), LONGEST);
        assert_eq!(short(&format!("x{}", entry[0].1)).len(), LONGEST - 1, "no character is cut in two");
    }
}
