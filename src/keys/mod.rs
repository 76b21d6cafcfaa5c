//! What we know of each sysctl: the catalogue's types.
//!
//! In: `rules/keys/*.toml`, compiled in. Out: [`Key`] by name; typed values to parse, compare, validate and render.
//! Must not: read the running system, or decide what a value should be.
