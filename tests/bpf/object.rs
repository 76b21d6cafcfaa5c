//! The object in the repository is the one that its source and its command make.

use std::path::{Path, PathBuf};
use std::process::Command;

/// The version whose object is in the repository.
const CLANG: &str = "clang version 14.";

fn folder() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("src/observe/bpf")
}

fn hex(bytes: &[u8]) -> String {
    bytes.iter().map(|byte| format!("{byte:02x}")).collect()
}

#[test]
fn the_object_was_made_of_the_source_beside_it() {
    let source = std::fs::read(folder().join("walk.bpf.c")).unwrap();
    let object = std::fs::read(folder().join("walk.bpf.o")).unwrap();
    let digest = hex(&hmac_sha256::Hash::hash(&source));
    let has = object.windows(digest.len()).any(|bytes| bytes == digest.as_bytes());
    assert!(has, "walk.bpf.o was made of another walk.bpf.c: run src/observe/bpf/build");
}

#[test]
fn the_object_is_what_clang_makes_of_the_source() {
    let version = Command::new("clang").arg("--version").output();
    let version = version.map(|output| String::from_utf8_lossy(&output.stdout).into_owned());
    let version = version.unwrap_or_else(|error| {
        panic!("\n\nTHE OBJECT CANNOT BE BUILT AGAIN: clang: {error}. Install clang, llvm and libbpf-dev.\n\n")
    });
    let built = tempfile::NamedTempFile::new().unwrap();
    let output = Command::new(folder().join("build")).arg(built.path()).output().unwrap();
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
    let (built, shipped) = (std::fs::read(built.path()).unwrap(), std::fs::read(folder().join("walk.bpf.o")).unwrap());
    // Another version makes other instructions; that it builds is all that can be said of it.
    assert!(built == shipped || !version.contains(CLANG), "src/observe/bpf/build makes another object than walk.bpf.o");
    assert!(built.len() < 16 << 10, "{} bytes", built.len());
}
