//! foocl(1): sends messages to foo.

#![forbid(unsafe_code)]

pub mod cli;

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
    io::{self, BufRead, ErrorKind, Write},
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
    time::Instant,
};

/// Permission bits of a directory: users other than its owner may create files there, and the
/// sticky bit keeps them from replacing the files of others.
const OTHERS_WRITE: u32 = 0o022;
const STICKY: u32 = 0o1000;

/// The longest path of a socket, in bytes: `sun_path` has 108, and the last one is the NUL.
const MAX_PATH_LENGTH: usize = 107;

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
    let mut printed = Ok(());
    let mut send = |message: &[u8]| {
        if !request.quiet && printed.is_ok() {
            // The original prints the same line.
            printed = io::stdout().write_all(&[b"sending ", message, b"\n"].concat());
        }
        send(&socket, &receiver, message, request)
    };
    match &request.message {
        Some(message) => send(message.as_bytes())?,
        None => {
            for (line, number) in io::stdin().lock().split(b'\n').zip(1..) {
                let line = line.map_err(|error| format!("standard input: {error}"))?;
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
/// It is bound in the user's own directory, or else in the one for temporary files. If neither can
/// be written, the socket has no name.
fn bind() -> Result<UnixDatagram, Box<dyn Error>> {
    let own = env::var_os("XDG_RUNTIME_DIR").map(PathBuf::from);
    let bound = own
        .and_then(|directory| bind_in(&directory).ok())
        .map_or_else(|| bind_in(&env::temp_dir()), Ok);
    bound.or_else(|error| match error {
        BindError::Unwritable(why) => {
            // If standard error can't be written, the message is still sent.
            let _ = writeln!(io::stderr(), "foocl: sending without a name: {why}");
            Ok(UnixDatagram::unbound()?)
        }
        BindError::Unsafe(why) => Err(why.into()),
    })
}

/// Why a socket could not be bound.
enum BindError {
    /// No socket can be made in the directory.
    Unwritable(String),
    /// Other users may replace files in the directory.
    Unsafe(String),
}

/// Returns a socket that is bound in a directory.
///
/// The file is removed at once, and the socket keeps its name. So no file is left behind, however
/// foocl ends.
fn bind_in(directory: &Path) -> Result<UnixDatagram, BindError> {
    let unable = |error| format!("unable to make a socket in {}: {error}", directory.display());
    let unwritable = |error| BindError::Unwritable(unable(error));
    let metadata = fs::metadata(directory).map_err(unwritable)?;
    let (owner, mode) = (metadata.uid(), metadata.mode());
    let is_foreign = owner != 0 && owner != geteuid().as_raw();
    if is_foreign || (mode & OTHERS_WRITE != 0 && mode & STICKY == 0) {
        // Before the file is removed, another user could replace it with a file of their own.
        let why = "others may replace files there; set TMPDIR to a directory of your own";
        return Err(BindError::Unsafe(unable(io::Error::other(why))));
    }
    // A signal between bind(2) and unlink(2) would leave the file behind.
    let signals = SigSet::all()
        .thread_swap_mask(SigmaskHow::SIG_BLOCK)
        .map_err(|errno| unwritable(errno.into()))?;
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
    signals.thread_set_mask().map_err(|errno| unwritable(errno.into()))?;
    result.map_err(unwritable)
}

/// Sends a message. Waits up to the timeout while the queue is full.
fn send(
    socket: &UnixDatagram,
    receiver: &SocketAddr,
    message: &[u8],
    request: &Request,
) -> Result<(), Box<dyn Error>> {
    let end = Instant::now().checked_add(request.timeout);
    loop {
        let remaining =
            end.map_or(request.timeout, |end| end.saturating_duration_since(Instant::now()));
        socket.set_nonblocking(remaining.is_zero())?;
        if !remaining.is_zero() {
            socket.set_write_timeout(Some(remaining))?;
        }
        match socket.send_to_addr(message, receiver) {
            Ok(_) => return Ok(()),
            // With a timeout, even SIGSTOP and SIGCONT interrupt the call, see signal(7).
            Err(error) if error.kind() == ErrorKind::Interrupted => {}
            Err(error) => return Err(describe_send_error(&error, message.len(), request).into()),
        }
    }
}

/// Returns what a send error means, and what to do about it.
fn describe_send_error(error: &io::Error, length: usize, request: &Request) -> String {
    let path = request.socket.display();
    match Errno::from_raw(error.raw_os_error().unwrap_or_default()) {
        Errno::ENOENT | Errno::ECONNREFUSED => {
            format!(
                "{path}: nothing listens there ({error}); start it with 'systemctl restart foo.socket foo.service'"
            )
        }
        Errno::EAGAIN => {
            let seconds = request.timeout.as_secs_f64();
            format!(
                "{path}: its queue stayed full for {seconds} s; \
                 is foo stuck, or --timeout too short?"
            )
        }
        Errno::EMSGSIZE => {
            let limit = longest_message()
                .map_or_else(String::new, |limit| format!(" of at most {limit} bytes"));
            format!(
                "the message of {length} bytes is too long for a datagram{limit}; send it in parts"
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
