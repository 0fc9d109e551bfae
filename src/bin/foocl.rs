//! foocl(1): sends messages to foo.

#![deny(unsafe_code)]
#![deny(clippy::print_stderr, clippy::print_stdout)]

use foo::cli::{self, Request};
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

// The unwinder of the C compiler's archive, as in foo.
#[cfg_attr(
    target_env = "gnu",
    link(name = "gcc_eh", kind = "static", modifiers = "-bundle")
)]
#[allow(unsafe_code, reason = "it declares nothing")]
unsafe extern "C" {}

/// Permission bits of a directory: others than its owner may write there, but not touch what is not theirs.
const OTHERS_WRITE: u32 = 0o022;
const STICKY: u32 = 0o1000;

/// The longest path that a socket can have, in bytes.
const LONGEST_PATH: usize = 107;

fn main() -> ExitCode {
    let request = match cli::foocl(env::args_os()) {
        Ok(request) => request,
        Err(exit) => return exit,
    };
    match send_all(&request) {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            // Where standard error can't take it, the status still tells.
            let _ = writeln!(io::stderr(), "foocl: {error}");
            ExitCode::FAILURE
        }
    }
}

/// Sends what was asked for: the one message, or a message a line. What standard output does not take is sent all the
/// same, and is an error in the end.
fn send_all(request: &Request) -> Result<(), Box<dyn Error>> {
    let receiver = address(&request.socket)?;
    let socket = bind()?;
    let mut said = Ok(());
    let mut send = |message: &[u8]| {
        if !request.quiet && said.is_ok() {
            // As the original does.
            said = io::stdout().write_all(&[b"sending ", message, b"\n"].concat());
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
    Ok(said.map_err(|error| format!("standard output: {error}; everything was sent"))?)
}

/// The address of a socket: a path, or `@` and an abstract name.
fn address(socket: &Path) -> Result<SocketAddr, Box<dyn Error>> {
    if let Some(name) = socket.as_os_str().as_bytes().strip_prefix(b"@") {
        return Ok(SocketAddr::from_abstract_name(name)?);
    }
    let (path, length) = (socket.display(), socket.as_os_str().len());
    if length > LONGEST_PATH {
        return Err(format!(
            "{path}: a path of {length} bytes, where a socket has {LONGEST_PATH} at most; \
             use one relative to its directory"
        )
        .into());
    }
    Ok(SocketAddr::from_pathname(socket).map_err(|error| format!("{path}: {error}"))?)
}

/// A socket with a name, so that foo can log who sent a message: in the user's own directory, or else in the one for
/// temporary files. Where nothing can be written there, it has none.
fn bind() -> Result<UnixDatagram, Box<dyn Error>> {
    let own = env::var_os("XDG_RUNTIME_DIR").map(PathBuf::from);
    let bound = own
        .and_then(|directory| bind_in(&directory).ok())
        .map_or_else(|| bind_in(&env::temp_dir()), Ok);
    bound.or_else(|error| match error {
        Unbound::Unwritable(why) => {
            // If standard error can't take it, the message is sent all the same.
            let _ = writeln!(io::stderr(), "foocl: sending without a name: {why}");
            Ok(UnixDatagram::unbound()?)
        }
        Unbound::Unsafe(why) => Err(why.into()),
    })
}

/// Why a socket has no name.
enum Unbound {
    /// Nothing can be written there.
    Unwritable(String),
    /// Somebody else could interfere.
    Unsafe(String),
}

/// A socket with a name in a directory.
///
/// The name stays with the socket when its file is removed, as it is right away: nothing is left behind
/// however foocl ends.
fn bind_in(directory: &Path) -> Result<UnixDatagram, Unbound> {
    let unable = |error| {
        format!(
            "unable to make a socket in {}: {error}",
            directory.display()
        )
    };
    let unwritable = |error| Unbound::Unwritable(unable(error));
    let metadata = fs::metadata(directory).map_err(unwritable)?;
    let (owner, mode) = (metadata.uid(), metadata.mode());
    let others_own = owner != 0 && owner != geteuid().as_raw();
    if others_own || (mode & OTHERS_WRITE != 0 && mode & STICKY == 0) {
        // Between making the file and removing it, somebody could put another in its place.
        let why = "others may replace files there; set TMPDIR to a directory of your own";
        return Err(Unbound::Unsafe(unable(io::Error::other(why))));
    }
    // No signal comes between the two either.
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
            // The file is ours to remove: bind(2) makes a new one or fails.
            Ok(socket) => break fs::remove_file(&path).map(|()| socket),
            Err(error) if error.kind() == ErrorKind::AddrInUse => {}
            Err(error) => break Err(error),
        }
    };
    signals
        .thread_set_mask()
        .map_err(|errno| unwritable(errno.into()))?;
    result.map_err(unwritable)
}

/// Sends a message, and waits while the queue is full.
fn send(
    socket: &UnixDatagram,
    receiver: &SocketAddr,
    message: &[u8],
    request: &Request,
) -> Result<(), Box<dyn Error>> {
    let end = Instant::now().checked_add(request.timeout);
    loop {
        let left = end.map_or(request.timeout, |end| {
            end.saturating_duration_since(Instant::now())
        });
        socket.set_nonblocking(left.is_zero())?;
        if !left.is_zero() {
            socket.set_write_timeout(Some(left))?;
        }
        match socket.send_to_addr(message, receiver) {
            Ok(_) => return Ok(()),
            // A timeout makes even stopping and continuing foocl interrupt it, see signal(7).
            Err(error) if error.kind() == ErrorKind::Interrupted => {}
            Err(error) => return Err(explain(&error, message.len(), request).into()),
        }
    }
}

/// What a failure to send means, and what to do about it.
fn explain(error: &io::Error, length: usize, request: &Request) -> String {
    let path = request.socket.display();
    match Errno::from_raw(error.raw_os_error().unwrap_or_default()) {
        Errno::ENOENT | Errno::ECONNREFUSED => {
            format!("{path}: nothing listens there ({error}); start it with 'systemctl start foo'")
        }
        Errno::EAGAIN => {
            let seconds = request.timeout.as_secs_f64();
            format!(
                "{path}: its queue stayed full for {seconds} s; is foo stuck, or --timeout too short?"
            )
        }
        Errno::EMSGSIZE => {
            let limit =
                longest().map_or_else(String::new, |limit| format!(" of at most {limit} bytes"));
            format!(
                "the message of {length} bytes is too long for a datagram{limit}; send it in parts"
            )
        }
        Errno::EACCES | Errno::EPERM => {
            format!(
                "{path}: {error}; SocketMode= and SocketGroup= of its socket unit say who may send"
            )
        }
        Errno::EPROTOTYPE => format!("{path}: {error}; it is no datagram socket"),
        _ => format!("{path}: {error}"),
    }
}

/// The longest message that a socket takes unless it asks for more: its send buffer less what the kernel keeps.
fn longest() -> Option<usize> {
    const KEPT: usize = 32;
    let buffer = fs::read_to_string("/proc/sys/net/core/wmem_default").ok()?;
    buffer.trim().parse::<usize>().ok()?.checked_sub(KEPT)
}
