//! Starts a daemon as systemd does: this program, run once more, opens the sockets from descriptor
//! 3 on, sets the environment, and executes the daemon.

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

/// The first argument with which this program becomes a daemon.
pub const BECOME: &str = "become";

/// The variable of the notification before exec: the monotonic time, in nanoseconds.
const EXEC: &str = "EXEC_MONOTONIC_NSEC";

/// Returns the path of a socket in a directory, by number.
pub fn socket(dir: &Path, number: usize) -> PathBuf {
    dir.join(format!("foo{number}.socket"))
}

/// Starts a daemon on its processor. `credentials` sets whether its sockets ask for credentials.
/// Returns the daemon and the time from exec to `READY=1`.
pub fn start(program: &Path, sockets: usize, credentials: bool, log: File) -> (Daemon, Duration) {
    let dir = TempDir::new();
    let notify = UnixDatagram::bind(dir.join("notify")).unwrap();
    let mut command = Command::new("/bin/sh");
    // Closes descriptors that this process inherited by accident, so that the next ones to be
    // opened are 3, 4 and so on.
    command.args(["-c", "exec 3>&- 4>&- 5>&- 6>&- 7>&- 8>&- 9>&-; exec \"$0\" \"$@\""]);
    command.args(["taskset", "--cpu-list", &processors::of_daemon()]);
    command.arg(env::current_exe().unwrap()).arg(BECOME).arg(sockets.to_string());
    command.arg(credentials.to_string()).arg(dir.path()).arg(program);
    command.env_clear().env("PATH", "/usr/bin:/bin").env("NOTIFY_SOCKET", dir.join("notify"));
    command.stdin(Stdio::null()).stdout(Stdio::null()).stderr(log);
    let daemon = Daemon::spawn(&mut command, notify, dir);
    let exec = daemon.notified();
    let exec = exec.value(EXEC).expect("the time before exec").parse().unwrap();
    let ready = daemon.notified();
    assert!(ready.has("READY=1"), "{}: {}", program.display(), ready.text);
    let since_ready = ready.at.elapsed();
    (daemon, monotonic() - since_ready - Duration::from_nanos(exec))
}

/// Returns the monotonic time, which all processes share.
fn monotonic() -> Duration {
    clock_gettime(ClockId::CLOCK_MONOTONIC).unwrap().into()
}

/// Opens sockets and becomes a daemon, as the rest of the command line says. Returns only on an
/// error.
pub fn become_daemon(mut arguments: impl Iterator<Item = OsString>) -> io::Error {
    let result = (|| {
        let mut next = || arguments.next().ok_or(io::ErrorKind::InvalidInput);
        let count = next()?.to_string_lossy().parse::<usize>().map_err(io::Error::other)?;
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
        command.env("LISTEN_PID", process::id().to_string()).env("LISTEN_FDS", count.to_string());
        command.env("LISTEN_FDNAMES", vec!["foo.socket"; count].join(":"));
        let notify = env::var_os("NOTIFY_SOCKET").ok_or(io::ErrorKind::InvalidInput)?;
        let socket = UnixDatagram::unbound()?;
        socket.send_to(format!("{EXEC}={}", monotonic().as_nanos()).as_bytes(), notify)?;
        Err(command.exec())
    })();
    let Err::<(), _>(error) = result else { unreachable!("exec returns only on an error") };
    error
}
