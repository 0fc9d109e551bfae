//! The daemon under valgrind: no invalid access, nothing lost.
#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    reason = "a panic is how a test fails"
)]

mod common;

use common::daemon::Daemon;
use common::{TempDir, have};
use nix::sys::signal::Signal::{SIGHUP, SIGTERM};
use std::fs;

/// From here on valgrind's report says that something is wrong, whatever the daemon returns.
const FOUND: i32 = 99;

#[test]
fn no_leak_and_no_invalid_access() {
    if !have("valgrind", "valgrind", "no_leak_and_no_invalid_access") {
        return;
    }
    let dir = TempDir::new();
    let report = dir.join("report");
    let daemon = Daemon::listening()
        .under([
            "valgrind",
            "--leak-check=full",
            "--errors-for-leak-kinds=definite,indirect",
            &format!("--error-exitcode={FOUND}"),
            &format!("--log-file={}", report.display()),
        ])
        .ready();
    for size in [0, 5, 60_000, 200_000] {
        let text = "x".repeat(size);
        daemon.assert_logs(&format!("{size} bytes"), &text, &text);
    }
    daemon.assert_logs("escapes", b"\x01\xff\n\n", r"\x01\xff\x0a");
    // What a fast machine is done with in no time, such as a look for more datagrams, is slow here, and ends as well.
    (0..100).for_each(|_| daemon.send("hello"));
    let all = |status: &str| status.starts_with("Received 105 messages");
    while !daemon.notified().value("STATUS").is_some_and(all) {}
    daemon.assert_rests("after a burst");
    daemon.signal(SIGHUP);
    while !daemon.notified().has("RELOADING=1") {}
    assert!(daemon.notified().has("READY=1"));
    daemon.signal(SIGTERM);
    let code = daemon.end().code;
    let report = fs::read_to_string(report).unwrap();
    assert_eq!(code, 0, "{report}");
    assert!(report.contains("ERROR SUMMARY: 0 errors"), "{report}");
}
