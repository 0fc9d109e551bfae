//! How a daemon is started: this program puts its sockets where systemd puts them, says so, and becomes it.

use crate::common::daemon::Daemon;
use crate::common::{TempDir, sys};
use crate::processors;
use nix::time::{ClockId, clock_gettime};
use std::env;
use std::ffi::OsString;
use std::fs::File;
use std::io;
use std::mem;
use std::os::fd::AsRawFd;
use std::os::unix::net::UnixDatagram;
use std::os::unix::process::CommandExt;
use std::path::{Path, PathBuf};
use std::process::{self, Command, Stdio};
use std::time::Duration;

/// The first argument of this program when it is to become a daemon.
pub const BECOME: &str = "become";

/// What it tells before it does: the time, in nanoseconds.
const EXEC: &str = "EXEC_MONOTONIC_NSEC";

/// The path of the socket with that number, in a directory.
pub fn socket(dir: &Path, number: usize) -> PathBuf {
    dir.join(format!("foo{number}.socket"))
}

/// Starts a daemon on a processor of its own, or on any, with sockets that ask for credentials or don't. Returns how
/// long it took from exec to `READY=1`, too.
pub fn start(program: &Path, sockets: usize, credentials: bool, log: File) -> (Daemon, Duration) {
    let dir = TempDir::new();
    let notify = UnixDatagram::bind(dir.join("notify")).unwrap();
    let mut command = Command::new("/bin/sh");
    // What this process was given by accident must not pass: what is opened next is 3, 4 and so on.
    command.args([
        "-c",
        "exec 3>&- 4>&- 5>&- 6>&- 7>&- 8>&- 9>&-; exec \"$0\" \"$@\"",
    ]);
    command.args(["taskset", "--cpu-list", &processors::of_daemon()]);
    command
        .arg(env::current_exe().unwrap())
        .arg(BECOME)
        .arg(sockets.to_string());
    command
        .arg(credentials.to_string())
        .arg(dir.path())
        .arg(program);
    command
        .env_clear()
        .env("PATH", "/usr/bin:/bin")
        .env("NOTIFY_SOCKET", dir.join("notify"));
    command
        .stdin(Stdio::null())
        .stdout(Stdio::null())
        .stderr(log);
    let daemon = Daemon::spawn(&mut command, notify, dir);
    let exec = daemon.notified();
    let exec = exec
        .value(EXEC)
        .expect("the time before exec")
        .parse()
        .unwrap();
    let ready = daemon.notified();
    assert!(
        ready.has("READY=1"),
        "{}: {}",
        program.display(),
        ready.text
    );
    let since_ready = ready.at.elapsed();
    (
        daemon,
        monotonic() - since_ready - Duration::from_nanos(exec),
    )
}

/// The time, comparable between processes.
fn monotonic() -> Duration {
    clock_gettime(ClockId::CLOCK_MONOTONIC).unwrap().into()
}

/// Becomes a daemon that has been passed so many sockets in a directory: the rest of the command line.
pub fn become_daemon(mut arguments: impl Iterator<Item = OsString>) -> io::Error {
    let result = (|| {
        let mut next = || arguments.next().ok_or(io::ErrorKind::InvalidInput);
        let count = next()?
            .to_string_lossy()
            .parse::<usize>()
            .map_err(io::Error::other)?;
        let credentials = next()? == "true";
        let (dir, program) = (PathBuf::from(next()?), next()?);
        for number in 0..count {
            let socket = UnixDatagram::bind(socket(&dir, number))?;
            assert_eq!(socket.as_raw_fd() as usize, 3 + number);
            sys::keep_on_exec(&socket)?;
            if credentials {
                sys::ask_for_credentials(&socket)?;
            }
            mem::forget(socket);
        }
        let mut command = Command::new(program);
        command
            .env("LISTEN_PID", process::id().to_string())
            .env("LISTEN_FDS", count.to_string());
        command.env("LISTEN_FDNAMES", vec!["foo.socket"; count].join(":"));
        let notify = env::var_os("NOTIFY_SOCKET").ok_or(io::ErrorKind::InvalidInput)?;
        let socket = UnixDatagram::unbound()?;
        socket.send_to(
            format!("{EXEC}={}", monotonic().as_nanos()).as_bytes(),
            notify,
        )?;
        Err(command.exec())
    })();
    let Err::<(), _>(error) = result else {
        unreachable!("exec gives an error only")
    };
    error
}
