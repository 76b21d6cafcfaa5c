//! The configuration: which files there are, what they say, and what the environment and the flags override.
//!
//! In: `/etc/sysctl-advisor/sysctl-advisor.toml` with `config.d/*.toml` beside it, or the one file named by `--config`; then
//! the environment; then the flags. Out: [`Config`], or [`ConfigError`] that underlines the place that is wrong. Must not:
//! declare an option in a second place; [`options`] declares each once.

mod commented;
mod declared;
mod effective;
mod error;
mod files;
mod kind;
mod layers;
mod options;
mod rules;
mod schema;
mod show;

pub use self::commented::{PARAMS_EXAMPLE, PARAMS_HELP, commented, notes};
pub use self::declared::{Declared, Flag, Section};
pub use self::effective::{Config, Typed, declared, load, load_trusted};
pub use self::error::ConfigError;
pub use self::files::{DEFAULT_FILE, DROP_INS};
pub use self::kind::Shape;
pub use self::options::{AgentOptions, ApplyOptions, AuditOptions, Options, RulesOptions, SECTIONS};
pub use self::rules::TypedRules;
pub use self::schema::schema;
pub use self::show::shown;
