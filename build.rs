//! Compiles the shipped rule files in: writes a table of their area, id and text.

#![expect(
    clippy::disallowed_methods,
    reason = "the build script's own world: Cargo's variables, the rules' folder, the generated file"
)]

use std::fmt::Write as _;
use std::path::Path;
use std::{env, fs, io};

/// Folders under `rules/` that hold no rules.
const NOT_RULES: [&str; 2] = ["keys", "reference"];

fn main() -> io::Result<()> {
    println!("cargo::rerun-if-changed=rules");
    let root = env::var("CARGO_MANIFEST_DIR").map_err(io::Error::other)?;
    let mut table = String::from("&[\n");
    for area in names(&Path::new(&root).join("rules"))? {
        let folder = Path::new(&root).join("rules").join(&area);
        if NOT_RULES.contains(&area.as_str()) || !folder.is_dir() {
            continue;
        }
        println!("cargo::rerun-if-changed=rules/{area}");
        for file in names(&folder)? {
            if let Some(id) = file.strip_suffix(".toml") {
                let path = folder.join(&file);
                let _ = writeln!(table, "({area:?}, {id:?}, include_str!({path:?})),");
            }
        }
    }
    table.push(']');
    let out = env::var("OUT_DIR").map_err(io::Error::other)?;
    fs::write(Path::new(&out).join("shipped_rules.rs"), table)
}

fn names(folder: &Path) -> io::Result<Vec<String>> {
    let mut names: Vec<String> =
        fs::read_dir(folder)?.flatten().map(|entry| entry.file_name().to_string_lossy().into_owned()).collect();
    names.sort();
    Ok(names)
}
