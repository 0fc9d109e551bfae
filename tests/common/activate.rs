//! Programs under systemd-socket-activate, which passes sockets as systemd does.

use super::daemon::Daemon;
use super::{TempDir, have};
use std::ffi::OsStr;
use std::os::unix::net::UnixDatagram;
use std::process::{Command, Stdio};

/// Listens on `sockets` and becomes the program when the first message comes. `None` if
/// systemd-socket-activate is missing.
pub fn activate(
    test: &str,
    program: impl AsRef<OsStr>,
    dir: TempDir,
    options: &[&str],
    sockets: &[String],
) -> Option<Daemon> {
    if !have("systemd-socket-activate", "systemd", test) {
        return None;
    }
    let notify = UnixDatagram::bind(dir.join("notify")).unwrap();
    let mut command = Command::new("systemd-socket-activate");
    command.args(options).args(sockets.iter().map(|address| format!("--listen={address}")));
    command.arg(format!("--setenv=NOTIFY_SOCKET={}", dir.join("notify").display()));
    command.arg(program).stdin(Stdio::null()).stdout(Stdio::null()).stderr(Stdio::piped());
    let daemon = Daemon::spawn(&mut command, notify, dir);
    for address in sockets {
        while !daemon.line().contains(address.as_str()) {}
    }
    Some(daemon)
}
