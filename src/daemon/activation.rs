//! Checks the sockets that systemd passed, and logs their names.

#![forbid(unsafe_code)]

use super::{datagram::control::Passes, log::Log};
use libsystemd_safe::{
    daemon::{self, ListenFd, SocketType, WrongKind},
    journal::Priority,
};
use std::{
    env,
    ffi::{OsString, c_int},
    fmt,
    fs::File,
    io::{self, IsTerminal},
    os::{
        fd::{AsRawFd, OwnedFd},
        unix::{ffi::OsStrExt, fs::MetadataExt, net::UnixDatagram},
    },
    process,
};

/// Shown on a terminal if no socket was passed.
const HINT: &str = "foo gets its socket from systemd: try 'systemctl start foo', or here \
    'systemd-socket-activate --datagram --listen=/tmp/foo.socket foo'";

/// Logged if the service manager started foo without a socket.
const NO_SOCKET: &str = "systemd passed no socket: if foo.socket is not active, \
    'systemctl start foo.socket'; if it is, it was changed since \
    it was started: 'systemctl restart foo.socket'";

/// Logged if the variables of the sockets name another process.
const OTHER_PROCESS: &str = "LISTEN_PID names another process, so the sockets are not foo's: \
    ExecStart= must start foo itself, or a wrapper must end with exec";

/// The same since systemd 259, if only a wrapper knows `LISTEN_PID`.
const OTHER_PIDFD: &str = "LISTEN_PIDFDID names another process, so the sockets are not foo's: \
    what corrects LISTEN_PID must unset LISTEN_PIDFDID, and PrivatePIDs= must be off";

/// Logged if the socket is standard input.
const STANDARD_INPUT: &str = "the socket is standard input, where foo does not look for it: \
    remove StandardInput=socket";

/// An `AF_UNIX` datagram socket that was passed.
#[derive(Debug)]
pub struct Socket {
    /// Its `FileDescriptorName=`.
    pub name: String,
    /// The socket.
    pub fd: UnixDatagram,
    /// What it passes along with each datagram.
    pub passes: Passes,
}

/// Why there is no socket to serve.
#[derive(Debug)]
pub enum Error {
    /// systemd passed no descriptors to this process.
    None,
    /// The descriptors do not match the environment variables.
    Malformed(io::Error),
    /// A descriptor is not an `AF_UNIX` datagram socket.
    WrongType {
        /// The number of the descriptor.
        number: i32,
        /// Its `FileDescriptorName=`.
        name: String,
        /// What the descriptor is.
        found: &'static str,
    },
}

impl fmt::Display for Error {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::None => f.write_str("Unable to get file descriptor for socket"),
            Self::Malformed(error) => write!(
                f,
                "Unable to take the file descriptors passed: {error}; see sd_listen_fds(3)"
            ),
            Self::WrongType { number, name, found } => write!(
                f,
                "File descriptor {number} ({name}) is {found}, not an AF_UNIX datagram socket: \
                 its socket unit needs ListenDatagram= with a path or an abstract name"
            ),
        }
    }
}

/// Returns the sockets among the descriptors that systemd passed.
///
/// # Errors
///
/// Fails if there is no descriptor, or if one is not a socket that foo can serve. All descriptors
/// are closed then.
pub fn sockets(passed: io::Result<Vec<ListenFd>>) -> Result<Vec<Socket>, Error> {
    let passed = passed.map_err(Error::Malformed)?;
    if passed.is_empty() {
        return Err(Error::None);
    }
    passed.into_iter().map(to_socket).collect()
}

/// Logs the names of the descriptors, or that systemd passed none.
pub fn log_names(names: &[OsString], log: &mut Log) {
    if names.is_empty() {
        let on_terminal = io::stderr().is_terminal();
        // A shell on a terminal can inherit INVOCATION_ID from a unit.
        if !on_terminal && env::var_os("INVOCATION_ID").is_some() {
            log.line(Priority::Info, why_none());
        }
        log.line(Priority::Warning, "Unable to find any file descriptors");
        if on_terminal {
            log.line(Priority::Info, HINT);
        }
        return;
    }
    log.line(Priority::Notice, "File Descriptor names are:");
    for name in names {
        log.line_of_bytes(Priority::Notice, &[b" ", name.as_bytes()].concat());
    }
}

/// Returns why the service manager passed no socket, and what to do.
fn why_none() -> &'static str {
    let own = process::id().to_string();
    let other = |name: &str, own: &str| env::var_os(name).is_some_and(|value| value != own);
    if other("LISTEN_PID", &own) {
        OTHER_PROCESS
    } else if env::var_os("LISTEN_PID").is_some() && env::var_os("LISTEN_PIDFDID").is_some() {
        OTHER_PIDFD
    } else if daemon::is_socket(io::stdin(), Some(libc::AF_UNIX), None, None).unwrap_or(false) {
        STANDARD_INPUT
    } else {
        NO_SOCKET
    }
}

/// Returns the descriptor as a socket that foo can serve.
fn to_socket(passed: ListenFd) -> Result<Socket, Error> {
    let name = passed.name.to_string_lossy().into_owned();
    match UnixDatagram::try_from(passed) {
        Ok(socket) => {
            // If the kernel does not report it, foo logs none of it.
            let passes = Passes::of(&socket).unwrap_or_default();
            Ok(Socket { name, fd: socket, passes })
        }
        Err(WrongKind { passed: ListenFd { fd, .. }, .. }) => {
            Err(Error::WrongType { number: fd.as_raw_fd(), name, found: describe(&fd) })
        }
    }
}

/// Describes a descriptor of the wrong kind.
fn describe(fd: &OwnedFd) -> &'static str {
    const SOCKETS: [(Option<c_int>, Option<SocketType>, &str); 6] = [
        (Some(libc::AF_UNIX), Some(SocketType::Stream), "an AF_UNIX stream socket"),
        (
            Some(libc::AF_UNIX),
            Some(SocketType::SequentialPacket),
            "an AF_UNIX sequential-packet socket",
        ),
        (Some(libc::AF_NETLINK), None, "an AF_NETLINK socket"),
        (None, Some(SocketType::Stream), "a stream socket of another address family"),
        (None, Some(SocketType::Datagram), "a datagram socket of another address family"),
        (None, None, "a socket of another type"),
    ];
    const FILES: [(u32, &str); 5] = [
        (libc::S_IFREG, "a regular file"),
        (libc::S_IFDIR, "a directory"),
        (libc::S_IFIFO, "a FIFO"),
        (libc::S_IFCHR, "a character device"),
        (libc::S_IFBLK, "a block device"),
    ];
    const UNKNOWN: &str = "of an unknown kind";
    let Ok(mode) = fd
        .try_clone()
        .and_then(|fd| File::from(fd).metadata())
        .map(|data| data.mode() & libc::S_IFMT)
    else {
        return UNKNOWN;
    };
    if mode == libc::S_IFREG && daemon::is_mq(fd, None).unwrap_or(false) {
        return "a POSIX message queue";
    }
    let is_socket = |&&(family, socktype, _): &&_| {
        daemon::is_socket(fd, family, socktype, None).unwrap_or(false)
    };
    let file = FILES.iter().find(|&&(format, _)| format == mode);
    file.map(|&(_, kind)| kind)
        .unwrap_or_else(|| SOCKETS.iter().find(is_socket).map_or(UNKNOWN, |&(_, _, kind)| kind))
}
