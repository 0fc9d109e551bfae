//! The daemon makes the same calls of libsystemd as the original in C. A preloaded library records
//! them.

use crate::common::daemon::Daemon;
use crate::common::setup::Setup;
use crate::common::{TempDir, have};
use nix::sys::signal::Signal::SIGTERM;
use std::fs;
use std::path::Path;
use std::process::Command;

/// Runs the daemon until it exits and returns its calls. The first `STATUS=` is a part of
/// `READY=1`.
fn calls(library: &Path, setup: Setup, stop: bool) -> Vec<String> {
    let file = setup.dir().join("calls");
    fs::write(&file, "").unwrap();
    let calls = file.clone();
    let setup = setup.env("LD_PRELOAD", library).env("CALLS", file);
    let mut daemon = if stop { setup.ready() } else { setup.start() };
    if stop {
        daemon.signal(SIGTERM);
    }
    daemon.wait();
    let text = fs::read_to_string(calls).unwrap();
    text.split_inclusive(")\n").map(|call| call.trim_end().to_owned()).collect()
}

#[test]
fn each_is_the_originals() {
    if !have("cc", "gcc", "calls::each_is_the_originals") {
        return;
    }
    let dir = TempDir::new();
    let library = dir.join("calls.so");
    let source = concat!(env!("CARGO_MANIFEST_DIR"), "/tests/contract/calls.c");
    let compiled = Command::new("cc")
        .args(["-shared", "-fPIC", "-o"])
        .arg(&library)
        .args([source, "-ldl"])
        .status();
    assert!(compiled.unwrap().success());

    let started = calls(&library, Daemon::listening(), true);
    let ready = "sd_notify(0, \"READY=1\nSTATUS=Received 0 messages, 0 bytes\")";
    let [listen, stopping] =
        ["sd_listen_fds_with_names(0, &names)", "sd_notify(0, \"STOPPING=1\")"];
    assert_eq!(started, [listen, ready, stopping]);

    let refused = calls(&library, Daemon::listening().unset("LISTEN_FDS"), false);
    assert_eq!(refused, [listen, stopping]);
}
