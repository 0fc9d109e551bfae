//! Starts this program again in a role, with an environment and descriptors of its own.

use crate::common::daemon::End;
use crate::common::setup::Setup;
use crate::common::{TempDir, can_enter, in_namespace};
use std::ffi::{OsStr, OsString};
use std::fmt::Debug;
use std::os::fd::OwnedFd;
use std::os::unix::ffi::OsStrExt;
use std::process::Command;
use std::sync::LazyLock;
use std::{env, fs, io};

/// This program in a role, with at most two passed descriptors, under the command in
/// `WRAPPER_UNDER`.
pub fn new(role: &str, passed: Vec<OwnedFd>) -> Setup {
    let under = env::var("WRAPPER_UNDER").unwrap_or_default();
    let role =
        Setup::new(passed, TempDir::new()).program(COMMAND.clone()).env("WRAPPER_ROLE", role);
    let role = role.env("WRAPPER_RELEASE", RELEASE.to_string());
    role.under(under.split_whitespace())
}

/// Runs a role, which has to succeed, and returns what it printed and sent.
#[track_caller]
pub fn run(case: &str, role: Setup) -> End {
    let end = role.start().end();
    assert_eq!(end.code, 0, "{case}: {:#?}", end.log);
    end
}

/// A role with an empty `/run` and message queues of its own. `None`, and the test is reported as
/// skipped, without root or user namespaces.
pub fn in_private_namespace(test: &str, role: Setup) -> Option<Setup> {
    let empty = "mount -t tmpfs wrapper /run && mount -t tmpfs wrapper /dev && \
        mkdir /dev/mqueue && mount -t mqueue wrapper /dev/mqueue";
    let namespace = in_namespace(&["--ipc"], empty);
    can_enter(&namespace, test).then(|| role.under(namespace))
}

/// The command that started this program, without its arguments. It may begin with the dynamic
/// linker of another release. It is read once: under valgrind all threads share the file's offset.
static COMMAND: LazyLock<Vec<OsString>> = LazyLock::new(|| {
    let line = fs::read("/proc/self/cmdline").unwrap();
    let words = line.strip_suffix(b"\0").unwrap().split(|&byte| byte == 0);
    let mut words: Vec<_> = words.map(|word| OsStr::from_bytes(word).to_owned()).collect();
    words.truncate(words.len() + 1 - env::args_os().len());
    words
});

/// Returns whether the libsystemd of this process is this release or a newer one.
pub fn has(release: u32) -> bool {
    *RELEASE >= release
}

/// The release of libsystemd. A role gets it in its environment, which has nothing else for
/// pkg-config.
static RELEASE: LazyLock<u32> = LazyLock::new(|| {
    let version = env::var("WRAPPER_RELEASE").unwrap_or_else(|_| {
        let version = Command::new("pkg-config").args(["--modversion", "libsystemd"]).output();
        String::from_utf8(version.unwrap().stdout).unwrap()
    });
    version.split(|digit: char| !digit.is_ascii_digit()).next().unwrap().parse().unwrap()
});

/// Fails unless libsystemd is too old for a function.
#[track_caller]
pub fn assert_unsupported<T: Debug>(result: io::Result<T>, release: u32) {
    let error = result.expect_err("libsystemd is too old");
    assert_eq!(error.kind(), io::ErrorKind::Unsupported, "{error}");
    let says = format!("needs libsystemd {release} or newer");
    assert!(error.to_string().ends_with(&says), "{error}");
}

/// Fails unless this is the system's error of this number.
#[track_caller]
pub fn assert_errno<T: Debug>(case: &str, result: io::Result<T>, errno: i32) {
    let error = result.expect_err(case);
    assert_eq!(error.raw_os_error(), Some(errno), "{case}: {error}");
}

/// Fails unless the wrapper itself refused an argument, with an error that contains this text.
#[track_caller]
pub fn assert_invalid<T: Debug>(case: &str, result: io::Result<T>, says: &str) {
    let error = result.expect_err(case);
    assert_eq!(error.kind(), io::ErrorKind::InvalidInput, "{case}: {error}");
    assert_eq!(error.raw_os_error(), None, "{case}: {error}");
    assert!(error.to_string().contains(says), "{case}: {error}");
}
