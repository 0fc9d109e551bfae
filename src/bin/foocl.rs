//! foocl(1): sends messages to foo.

#![deny(unsafe_code)]
#![deny(clippy::print_stderr, clippy::print_stdout)]

use foo::cli;
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
    os::unix::{ffi::OsStrExt, fs::MetadataExt, net::UnixDatagram},
    path::{Path, PathBuf},
    process::{self, ExitCode},
    time::Instant,
};

// The unwinder of the C compiler's archive, as in foo.
#[cfg_attr(target_env = "gnu", link(name = "gcc_eh", kind = "static", modifiers = "-bundle"))]
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

/// Sends what was asked for: the one message, or a message a line.
fn send_all(request: &cli::Send) -> Result<(), Box<dyn Error>> {
    let length = request.socket.as_os_str().len();
    if length > LONGEST_PATH {
        let path = request.socket.display();
        return Err(format!(
            "{path}: a path of {length} bytes, where a socket has {LONGEST_PATH} at most; \
             use one relative to its directory"
        )
        .into());
    }
    let socket = bind()?;
    let Some(message) = &request.message else {
        for (line, number) in io::stdin().lock().split(b'\n').zip(1..) {
            let line = line.map_err(|error| format!("standard input: {error}"))?;
            send(&socket, &line, request).map_err(|error| format!("line {number}: {error}"))?;
        }
        return Ok(());
    };
    send(&socket, message.as_bytes(), request)
}

/// A socket with a name, so that foo can tell who sent a message: in the user's own directory, or else in
/// the one for temporary files.
fn bind() -> Result<UnixDatagram, Box<dyn Error>> {
    let own = env::var_os("XDG_RUNTIME_DIR").map(PathBuf::from);
    own.and_then(|directory| bind_in(&directory).ok()).map_or_else(|| bind_in(&env::temp_dir()), Ok)
}

/// A socket with a name in a directory.
///
/// The name stays with the socket when its file is removed, as it is right away: nothing is left behind
/// however foocl ends.
fn bind_in(directory: &Path) -> Result<UnixDatagram, Box<dyn Error>> {
    let unable = |error| format!("unable to make a socket in {}: {error}", directory.display());
    let metadata = fs::metadata(directory).map_err(unable)?;
    let (owner, mode) = (metadata.uid(), metadata.mode());
    let others_own = owner != 0 && owner != geteuid().as_raw();
    if others_own || (mode & OTHERS_WRITE != 0 && mode & STICKY == 0) {
        // Between making the file and removing it, somebody could put another in its place.
        let why = "others may replace files there; set TMPDIR to a directory of your own";
        return Err(unable(io::Error::other(why)).into());
    }
    // No signal comes between the two either.
    let signals = SigSet::all().thread_swap_mask(SigmaskHow::SIG_BLOCK)?;
    let mut names = (0..100).map(|number| directory.join(format!("foocl.{}.{number}.socket", process::id())));
    let result = loop {
        let Some(path) = names.next() else { break Err(ErrorKind::AddrInUse.into()) };
        match UnixDatagram::bind(&path) {
            // The file is ours to remove: bind(2) makes a new one or fails.
            Ok(socket) => break fs::remove_file(&path).map(|()| socket),
            Err(error) if error.kind() == ErrorKind::AddrInUse => {}
            Err(error) => break Err(error),
        }
    };
    signals.thread_set_mask()?;
    Ok(result.map_err(unable)?)
}

/// Says what is sent, as the original does, and sends it.
fn send(socket: &UnixDatagram, message: &[u8], request: &cli::Send) -> Result<(), Box<dyn Error>> {
    let said = [b"sending ", message, b"\n"].concat();
    io::stdout().write_all(&said).map_err(|error| format!("standard output: {error}"))?;

    let end = Instant::now().checked_add(request.timeout);
    loop {
        let left = end.map_or(request.timeout, |end| end.saturating_duration_since(Instant::now()));
        socket.set_nonblocking(left.is_zero())?;
        if !left.is_zero() {
            socket.set_write_timeout(Some(left))?;
        }
        match socket.send_to(message, &request.socket) {
            Ok(_) => return Ok(()),
            // A timeout makes even stopping and continuing foocl interrupt it, see signal(7).
            Err(error) if error.kind() == ErrorKind::Interrupted => {}
            Err(error) => return Err(explain(&error, message.len(), request).into()),
        }
    }
}

/// What a failure to send means, and what to do about it.
fn explain(error: &io::Error, length: usize, request: &cli::Send) -> String {
    let path = request.socket.display();
    match Errno::from_raw(error.raw_os_error().unwrap_or_default()) {
        Errno::ENOENT | Errno::ECONNREFUSED => {
            format!("{path}: nothing listens there ({error}); start it with 'systemctl start foo'")
        }
        Errno::EAGAIN => {
            let seconds = request.timeout.as_secs_f64();
            format!("{path}: its queue stayed full for {seconds} s; is foo stuck, or --timeout too short?")
        }
        Errno::EMSGSIZE => {
            let limit = longest().map_or_else(String::new, |limit| format!(" of at most {limit} bytes"));
            format!("the message of {length} bytes is too long for a datagram{limit}; send it in parts")
        }
        Errno::EACCES | Errno::EPERM => {
            format!("{path}: {error}; SocketMode= and SocketGroup= of its socket unit say who may send")
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
