//! What a program that uses the wrapper compiles, and what it runs with.

use std::collections::BTreeSet;
use std::env;
use std::process::Command;

/// The dependencies of tests do not count, nor those of the features `log` and `tracing`.
#[test]
fn only_libc_and_the_bindings() {
    let run = ["libc", "libsystemd_safe", "libsystemd_sys"];
    let build = [&run[..], &["pkg_config"]].concat();
    for (options, want) in [
        (["--edges=normal", "--features=bindgen"], run.to_vec()),
        (["--edges=normal,build", "--no-default-features"], build),
    ] {
        let cargo = env::var_os("CARGO").unwrap_or_else(|| "cargo".into());
        let manifest = concat!(env!("CARGO_MANIFEST_DIR"), "/Cargo.toml");
        let tree = Command::new(cargo)
            .args(["tree", "--locked", "--target=all", "--prefix=none", "--format={lib}"])
            .args(["--manifest-path", manifest])
            .args(options)
            .output()
            .unwrap();
        assert!(tree.status.success(), "{}", String::from_utf8_lossy(&tree.stderr));
        let tree = String::from_utf8(tree.stdout).unwrap();
        let crates: BTreeSet<_> = tree.lines().map(|line| line.trim_end_matches(" (*)")).collect();
        assert_eq!(crates, BTreeSet::from_iter(want), "{options:?}");
    }
}
