//! `/proc/net/tcp` and `/proc/net/tcp6`, for where netlink is not to be had.
//!
//! In: a host. Out: each socket once to a callback; the `procfs` crate understands the lines.
//! Must not: hold the table in memory: it has 150 bytes a socket.

use std::io::Read;

use procfs::net::{TcpNetEntries, TcpNetEntry};
use procfs::{FromBufReadSI, current_system_info};

use crate::host::Host;

/// Bytes parsed at a time. Also the longest line that can be read.
const CHUNK: usize = 32 << 10;

/// Reads both tables. A kernel without IPv6 has only the first; that the second is missing is not an error.
pub(super) fn read(host: &Host, mut each: impl FnMut(&TcpNetEntry)) -> Result<(), String> {
    read_file(host, &host.proc_net("tcp"), &mut each)?;
    let v6 = host.proc_net("tcp6");
    match host.open(&v6) {
        Err(error) if error.kind == std::io::ErrorKind::NotFound => Ok(()),
        _ => read_file(host, &v6, &mut each),
    }
}

fn read_file(host: &Host, path: &str, each: &mut impl FnMut(&TcpNetEntry)) -> Result<(), String> {
    let file = host.open(path).map_err(|error| error.to_string())?;
    read_lines(file, each).map_err(|why| format!("{path}: {why}"))
}

/// Hands whole lines to `procfs`, a chunk at a time. It passes over the first line of what it is given: at first the
/// header, then the end of the line before, which is kept for that.
fn read_lines(mut file: impl Read, each: &mut impl FnMut(&TcpNetEntry)) -> Result<(), String> {
    let mut chunk = vec![0; CHUNK];
    let mut have = 0;
    loop {
        let space = chunk.get_mut(have..).unwrap_or_default();
        if space.is_empty() {
            return Err("a line is too long".to_owned());
        }
        let read = match file.read(space) {
            Err(error) if error.kind() == std::io::ErrorKind::Interrupted => continue,
            outcome => outcome.map_err(|error| error.to_string())?,
        };
        have += read;
        let filled = chunk.get(..have).unwrap_or_default();
        let whole = match filled.iter().rposition(|&byte| byte == b'\n') {
            _ if read == 0 => have,
            Some(last) => last,
            None => continue,
        };
        let lines = filled.get(..whole).unwrap_or_default();
        // The crate's error text names its own source file; it helps nobody.
        let entries = TcpNetEntries::from_buf_read(lines, current_system_info())
            .map_err(|_| "a line has an unexpected format")?;
        entries.0.iter().for_each(&mut *each);
        if read == 0 {
            return Ok(());
        }
        chunk.copy_within(whole..have, 0);
        have -= whole;
    }
}

#[cfg(test)]
mod tests {
    use std::net::SocketAddr;

    use procfs::net::TcpState;
    use proptest::prelude::*;

    use super::*;

    const HEADER: &str =
        "  sl  local_address rem_address   st tx_queue rx_queue tr tm->when retrnsmt   uid  timeout inode\n";

    fn line(port: u16, state: u8) -> String {
        format!(
            "   0: 0100007F:{port:04X} 0100007F:0050 {state:02X} 00000000:00000005 00:00000000 00000000  1000        0 4242 1 0 100 0 0 10 0\n"
        )
    }

    fn parse(text: &[u8]) -> Result<Vec<TcpNetEntry>, String> {
        let mut all = Vec::new();
        read_lines(text, &mut |entry: &TcpNetEntry| all.push(entry.clone())).map(|()| all)
    }

    #[test]
    fn a_table_larger_than_a_chunk_gives_every_line_once() {
        let text: String = std::iter::once(HEADER.to_owned()).chain((1..=2000).map(|port| line(port, 1))).collect();
        assert!(text.len() > 4 * CHUNK);
        let ports: Vec<u16> = parse(text.as_bytes()).unwrap().iter().map(|entry| entry.local_address.port()).collect();
        assert_eq!(ports, (1..=2000).collect::<Vec<_>>());
    }

    #[test]
    fn a_line_gives_addresses_state_queue_and_inode() {
        let text = format!("{HEADER}{}", line(8080, 10));
        let entry = parse(text.as_bytes()).unwrap().remove(0);
        assert_eq!(entry.local_address, SocketAddr::from(([127, 0, 0, 1], 8080)));
        assert_eq!((entry.state, entry.rx_queue, entry.uid, entry.inode), (TcpState::Listen, 5, 1000, 4242));
    }

    #[test]
    fn an_empty_table_a_missing_last_newline_and_an_empty_file_are_read() {
        assert_eq!(parse(HEADER.as_bytes()).unwrap().len(), 0);
        assert_eq!(parse(b"").unwrap().len(), 0);
        let text = format!("{HEADER}{}", line(1, 1));
        assert_eq!(parse(text.trim_end().as_bytes()).unwrap().len(), 1);
    }

    #[test]
    fn the_tables_of_this_machine_are_understood() {
        assert_eq!(read(&Host::live(), |_| ()), Ok(()));
    }

    #[test]
    fn what_is_not_a_table_is_an_error() {
        assert!(parse(&vec![b'x'; 2 * CHUNK]).is_err());
        assert!(parse(format!("{HEADER}   0: nonsense\n").as_bytes()).is_err());
    }

    proptest! {
        #[test]
        fn arbitrary_bytes_never_panic(bytes in prop::collection::vec(any::<u8>(), 0..400)) {
            let mut text = HEADER.as_bytes().to_vec();
            text.extend(bytes);
            let _ = parse(&text);
        }

        #[test]
        fn a_damaged_line_never_panics(at in 0usize..140, byte: u8) {
            let mut text = line(80, 1).into_bytes();
            let length = text.len();
            text[at % length] = byte;
            let _ = parse(&[HEADER.as_bytes(), &text].concat());
        }
    }
}
