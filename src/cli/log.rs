//! The log of the program on standard error.
//!
//! In: how much is said, and in which form. Out: the process's one subscriber. Must not: be set up twice.

use tracing_subscriber::filter::LevelFilter;

use super::args::{Global, LogFormat};
use super::output::Terminal;

/// Sends the messages of the program to standard error from here on.
pub(super) fn start(global: &Global) {
    let level = match (global.quiet, global.verbose) {
        (true, _) => LevelFilter::ERROR,
        (_, 0) => LevelFilter::WARN,
        (_, 1) => LevelFilter::INFO,
        _ => LevelFilter::DEBUG,
    };
    let log = tracing_subscriber::fmt().with_max_level(level).with_writer(std::io::stderr).with_target(false);
    match global.log_format {
        LogFormat::Text => {
            log.with_ansi(Terminal::new(global.color, global.log_format).errors_coloured()).without_time().init();
        }
        LogFormat::Json => log.json().init(),
    }
}
