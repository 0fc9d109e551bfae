//! foocl(1): sends messages to foo.

#![forbid(unsafe_code)]

pub mod cli;
mod stdio;

use crate::cli::Parsed;
use cli::Request;
use nix::{
    errno::Errno,
    sys::signal::{SigSet, SigmaskHow},
    unistd::geteuid,
};
use std::{
    env,
    error::Error,
    fs,
    io::{self, ErrorKind, Write},
    os::{
        linux::net::SocketAddrExt,
        unix::{
            ffi::OsStrExt,
            fs::MetadataExt,
            net::{SocketAddr, UnixDatagram},
        },
    },
    path::{Path, PathBuf},
    process::{self, ExitCode},
    time::{Duration, Instant},
};

/// Permission bits of a directory: users other than its owner may create files there, and the
/// sticky bit keeps them from replacing the files of others.
const OTHERS_WRITE: u32 = 0o022;
const STICKY: u32 = 0o1000;

/// The longest path of a socket, in bytes: `sun_path` has 108, and the last one is the NUL.
const MAX_PATH_LENGTH: usize = 107;

/// The longest message that is read from standard input if its real limit is unknown, in bytes.
const LONGEST_UNKNOWN: usize = 1024 * 1024;

/// Runs foocl. Returns its exit status.
pub fn main() -> ExitCode {
    let request = match cli::parse(env::args_os()) {
        Parsed::Run(request) => request,
        Parsed::Exit(status) => return status.into(),
    };
    match send_all(&request) {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            // If standard error can't be written, the exit status still reports the error.
            let _ = writeln!(io::stderr(), "foocl: {error}");
            ExitCode::FAILURE
        }
    }
}

/// Sends the message, or each line of standard input.
///
/// An error of standard output does not stop the sending, and is returned at the end.
fn send_all(request: &Request) -> Result<(), Box<dyn Error>> {
    let receiver = address(&request.socket)?;
    let socket = bind()?;
    // A socket without room is the exception. Only then is a call made that waits.
    socket.set_nonblocking(true)?;
    let (mut printed, mut echo) = (Ok(()), Vec::new());
    let mut send = |message: &[u8]| {
        if !request.quiet && printed.is_ok() {
            // The original prints the same line.
            echo.clear();
            [b"sending ", message, b"\n"].into_iter().for_each(|part| echo.extend_from_slice(part));
            printed = stdio::print(&echo);
        }
        send(&socket, &receiver, message, request)
    };
    match &request.message {
        Some(message) => send(message.as_bytes())?,
        None => {
            let limit = longest_message().unwrap_or(LONGEST_UNKNOWN);
            let (mut input, mut line) = (io::stdin().lock(), Vec::new());
            for number in 1.. {
                let read = stdio::read_line(&mut input, &mut line, limit);
                if !read.map_err(|error| format!("standard input: {error}"))? {
                    break;
                }
                send(&line).map_err(|error| format!("line {number}: {error}"))?;
            }
        }
    }
    Ok(printed.map_err(|error| format!("standard output: {error}; everything was sent"))?)
}

/// Returns the address of a socket: a path, or `@` and an abstract name.
fn address(socket: &Path) -> Result<SocketAddr, Box<dyn Error>> {
    if let Some(name) = socket.as_os_str().as_bytes().strip_prefix(b"@") {
        return Ok(SocketAddr::from_abstract_name(name)?);
    }
    let (path, length) = (socket.display(), socket.as_os_str().len());
    if length > MAX_PATH_LENGTH {
        return Err(format!(
            "{path}: a path of {length} bytes, but a socket has {MAX_PATH_LENGTH} at most; \
             use one relative to its directory"
        )
        .into());
    }
    Ok(SocketAddr::from_pathname(socket).map_err(|error| format!("{path}: {error}"))?)
}

/// Returns a socket whose name foo can log as the sender.
///
/// It is bound in the user's own directory, or else in the one for temporary files. If neither will
/// do, the socket has no name.
fn bind() -> io::Result<UnixDatagram> {
    let own = env::var_os("XDG_RUNTIME_DIR").map(PathBuf::from).filter(|own| own.is_absolute());
    let temporary = env::var_os("TMPDIR").filter(|directory| !directory.is_empty());
    let temporary = temporary.map_or_else(|| "/tmp".into(), PathBuf::from);
    let bound =
        own.and_then(|directory| bind_in(&directory).ok()).map_or_else(|| bind_in(&temporary), Ok);
    bound.or_else(|why| {
        let directory = temporary.display();
        // If standard error can't be written, the message is still sent.
        let _ = writeln!(
            io::stderr(),
            "foocl: sending without a name: unable to make a socket in {directory}: {why}"
        );
        UnixDatagram::unbound()
    })
}

/// Returns a socket that is bound in a directory.
///
/// The file is removed at once, and the socket keeps its name. So no file is left behind, however
/// foocl ends.
fn bind_in(directory: &Path) -> io::Result<UnixDatagram> {
    let metadata = fs::metadata(directory)?;
    let (owner, mode) = (metadata.uid(), metadata.mode());
    let is_foreign = owner != 0 && owner != geteuid().as_raw();
    if is_foreign || (mode & OTHERS_WRITE != 0 && mode & STICKY == 0) {
        // Before the file is removed, another user could replace it with a file of their own. A
        // sandbox may hide that the owner is root.
        let why = "others may replace files there, or its owner is unknown; \
             set TMPDIR to a directory of your own";
        return Err(io::Error::other(why));
    }
    // A signal between bind(2) and unlink(2) would leave the file behind.
    let signals = SigSet::all().thread_swap_mask(SigmaskHow::SIG_BLOCK)?;
    let mut names =
        (0..100).map(|number| directory.join(format!("foocl.{}.{number}.socket", process::id())));
    let result = loop {
        let Some(path) = names.next() else {
            break Err(ErrorKind::AddrInUse.into());
        };
        match UnixDatagram::bind(&path) {
            // bind(2) makes a new file or fails, so this removes no other file.
            Ok(socket) => break fs::remove_file(&path).map(|()| socket),
            Err(error) if error.kind() == ErrorKind::AddrInUse => {}
            Err(error) => break Err(error),
        }
    };
    signals.thread_set_mask()?;
    result
}

/// Sends a message. Waits up to the timeout while there is no room.
fn send(
    socket: &UnixDatagram,
    receiver: &SocketAddr,
    message: &[u8],
    request: &Request,
) -> Result<(), Box<dyn Error>> {
    let sent = match connect_and_send(socket, receiver, message) {
        Err(error) if error.kind() == ErrorKind::WouldBlock && !request.timeout.is_zero() => {
            wait_and_send(socket, receiver, message, request.timeout)
        }
        sent => sent,
    };
    sent.map_err(|error| describe_send_error(&error, message.len(), request).into())
}

/// Sends a message to the receiver. Connects to it before the first one, and if its socket has been
/// replaced: the kernel looks up the path of one that is not connected for each message.
fn connect_and_send(
    socket: &UnixDatagram,
    receiver: &SocketAddr,
    message: &[u8],
) -> io::Result<()> {
    match socket.send(message) {
        Err(error)
            if matches!(error.kind(), ErrorKind::NotConnected | ErrorKind::ConnectionRefused) =>
        {
            socket.connect_addr(receiver)?;
            socket.send(message).map(drop)
        }
        sent => sent.map(drop),
    }
}

/// Sends a message, and blocks up to the timeout.
fn wait_and_send(
    socket: &UnixDatagram,
    receiver: &SocketAddr,
    message: &[u8],
    timeout: Duration,
) -> io::Result<()> {
    let end = Instant::now().checked_add(timeout);
    socket.set_nonblocking(false)?;
    let sent = loop {
        let remaining = end.map_or(timeout, |end| end.saturating_duration_since(Instant::now()));
        if remaining.is_zero() {
            break Err(ErrorKind::WouldBlock.into());
        }
        socket.set_write_timeout(Some(remaining))?;
        match connect_and_send(socket, receiver, message) {
            // With a timeout, even SIGSTOP and SIGCONT interrupt the call, see signal(7).
            Err(error) if error.kind() == ErrorKind::Interrupted => {}
            sent => break sent,
        }
    };
    socket.set_nonblocking(true)?;
    sent
}

/// Returns what a send error means, and what to do about it.
fn describe_send_error(error: &io::Error, length: usize, request: &Request) -> String {
    let path = request.socket.display();
    // An error of this program's own is a timeout.
    match error.raw_os_error().map_or(Errno::EAGAIN, Errno::from_raw) {
        Errno::ENOENT | Errno::ECONNREFUSED => {
            format!(
                "{path}: nothing listens there ({error}); start it with 'systemctl restart foo.socket foo.service'"
            )
        }
        Errno::EAGAIN => {
            let seconds = request.timeout.as_secs_f64();
            format!(
                "{path}: nothing was read for {seconds} s; foo may be stuck, or its --max-rate= \
                 is reached, which 'systemctl status foo' shows, or --timeout is too short"
            )
        }
        Errno::EMSGSIZE => {
            let limit = longest_message()
                .map_or_else(String::new, |limit| format!(" of at most {limit} bytes"));
            format!(
                "the message of {length} bytes or more is too long for a datagram{limit}; \
                 send it in parts"
            )
        }
        Errno::EACCES | Errno::EPERM => {
            format!(
                "{path}: {error}; SocketMode= and SocketGroup= of its socket unit \
                 define who may send"
            )
        }
        Errno::EPROTOTYPE => format!("{path}: {error}; it is not a datagram socket"),
        _ => format!("{path}: {error}"),
    }
}

/// Returns the longest message that fits in the default send buffer.
fn longest_message() -> Option<usize> {
    /// What the kernel needs of the buffer for itself, in bytes.
    const KERNEL_OVERHEAD: usize = 32;
    let buffer = fs::read_to_string("/proc/sys/net/core/wmem_default").ok()?;
    buffer.trim().parse::<usize>().ok()?.checked_sub(KERNEL_OVERHEAD)
}
