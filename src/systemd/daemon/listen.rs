//! The descriptors that were passed: sd_listen_fds(3).

use super::{SocketType, is_socket, is_socket_inet};
use crate::systemd::{check, invalid};
use libsystemd_sys::daemon as sys;
use std::{
    error,
    ffi::{CStr, OsString, c_char, c_void},
    fmt, io,
    net::{TcpListener, TcpStream, UdpSocket},
    os::{
        fd::{AsFd, AsRawFd, BorrowedFd, FromRawFd, OwnedFd, RawFd},
        unix::{
            ffi::OsStringExt,
            net::{UnixDatagram, UnixListener, UnixStream},
        },
    },
    ptr, slice,
    sync::{Mutex, PoisonError},
};

/// Number of the first descriptor that is passed; the others follow it. See sd_listen_fds(3).
pub const LISTEN_FDS_START: RawFd = sys::SD_LISTEN_FDS_START;

/// A descriptor that the service manager passed.
///
/// It can be had as one of the standard library's types, which checks that it is one:
///
/// ```no_run
/// use foo::systemd::daemon::listen_fds_with_names;
/// use std::os::unix::net::UnixListener;
///
/// // SAFETY: this is the first that the program does, so it has opened nothing.
/// for passed in unsafe { listen_fds_with_names() }? {
///     let listener = UnixListener::try_from(passed)?;
///     let (_stream, _address) = listener.accept()?;
/// }
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
#[derive(Debug)]
pub struct ListenFd {
    /// `FileDescriptorName=` of the socket unit, by default the unit's name; `stored` for one of the descriptor
    /// store that has no name; `unknown` where none was passed.
    pub name: OsString,
    /// The descriptor itself: this is its only owner, and it is closed with it.
    pub fd: OwnedFd,
}

/// Takes the descriptors that the service manager passed, with their names, in the order of the units; those of
/// its descriptor store come after them.
///
/// Empty if none were passed to this process. They are close-on-exec. They can be taken once: a second call finds
/// none. The environment is left as it is, so another library that takes descriptors would find them again.
///
/// sd_listen_fds_with_names(3), since 227.
///
/// ```
/// // SAFETY: this is the first that the program does, so it has opened nothing.
/// for passed in unsafe { foo::systemd::daemon::listen_fds_with_names() }? {
///     println!("{} is {:?}", passed.name.to_string_lossy(), passed.fd);
/// }
/// # Ok::<(), std::io::Error>(())
/// ```
///
/// # Safety
///
/// Nothing else in the process owns a descriptor from 3 up to, but not including, 3 + `LISTEN_FDS`, now or later. That
/// is so if the program has opened no descriptor yet, and no other library takes those that were passed. libsystemd
/// believes the environment: a descriptor that was promised and not passed has the number of the first that the
/// program opens.
///
/// ```compile_fail,E0133
/// let pipe = std::io::pipe()?;
/// // Too late, and safe code can't do it: if LISTEN_FDS promises two that were not passed, these would be the pipe's.
/// let passed = foo::systemd::daemon::listen_fds_with_names()?;
/// # Ok::<(), std::io::Error>(())
/// ```
///
/// A descriptor of the program's own is noticed if it is close-on-exec, as all are that the standard library opens, but
/// not if it isn't, such as a pipe(2).
///
/// # Errors
///
/// `EINVAL` if `LISTEN_PID` or `LISTEN_FDS` is no number, if `LISTEN_FDS` is 0 or less, or if `LISTEN_FDNAMES` has not as
/// many names; `ERANGE` if a number is too large, or `LISTEN_PID` is 0; `EBADF` if a descriptor that was promised is not
/// open; `InvalidInput` if one is open, but is this program's own. What was passed stays open then.
#[doc(alias = "sd_listen_fds_with_names")]
pub unsafe fn listen_fds_with_names() -> io::Result<Vec<ListenFd>> {
    static TAKEN: Mutex<bool> = Mutex::new(false);
    let mut taken = TAKEN.lock().unwrap_or_else(PoisonError::into_inner);
    if *taken {
        return Ok(Vec::new());
    }
    let foreign = (LISTEN_FDS_START..)
        .find(|&fd| !is_inherited(fd))
        .unwrap_or(RawFd::MAX);
    let mut names: *mut *mut c_char = ptr::null_mut();
    // SAFETY: `names` is a valid place for the array, and is written only where the result is positive.
    let count = check(unsafe { sys::sd_listen_fds_with_names(0, &mut names) })?;
    if count == 0 {
        return Ok(Vec::new());
    }
    *taken = true;
    // SAFETY: on success the array holds as many strings, and all of it is the caller's.
    let names = unsafe { take_names(names, count as usize) };
    if foreign < LISTEN_FDS_START + count {
        return invalid(format!(
            "descriptor {foreign} was promised by LISTEN_FDS, but this program has opened or taken it itself: \
             the passed descriptors have to be taken first"
        ));
    }
    // SAFETY: each is open, and nobody else's, as the caller promises. TAKEN sees to it that this holds once only.
    let owned = |fd| unsafe { OwnedFd::from_raw_fd(fd) };
    Ok((LISTEN_FDS_START..)
        .zip(names)
        .map(|(fd, name)| ListenFd {
            name,
            fd: owned(fd),
        })
        .collect())
}

/// Whether a descriptor came with the process: what it opened, or has taken before, is close-on-exec.
fn is_inherited(fd: RawFd) -> bool {
    // SAFETY: it only asks, and any number may be asked for.
    unsafe { libc::fcntl(fd, libc::F_GETFD) == 0 }
}

/// Makes an array of C's one of Rust's.
///
/// # Safety
///
/// The array holds `count` strings that end with NUL, each from malloc like the array itself, and nobody else has
/// any of it.
unsafe fn take_names(names: *mut *mut c_char, count: usize) -> Vec<OsString> {
    // SAFETY: as the caller promises; each string is freed once, after its last use, and so is the array.
    unsafe {
        let take = |&name: &*mut c_char| {
            let owned = OsString::from_vec(CStr::from_ptr(name).to_bytes().to_vec());
            libc::free(name.cast::<c_void>());
            owned
        };
        let taken = slice::from_raw_parts(names, count)
            .iter()
            .map(take)
            .collect();
        libc::free(names.cast());
        taken
    }
}

impl AsFd for ListenFd {
    fn as_fd(&self) -> BorrowedFd<'_> {
        self.fd.as_fd()
    }
}

impl From<ListenFd> for OwnedFd {
    fn from(passed: ListenFd) -> Self {
        passed.fd
    }
}

/// A descriptor that was passed is not what it is to be.
#[derive(Debug)]
pub struct WrongKind {
    /// What was passed, to do something else with.
    pub passed: ListenFd,
    wanted: &'static str,
}

impl fmt::Display for WrongKind {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let (number, name) = (
            self.passed.fd.as_raw_fd(),
            self.passed.name.to_string_lossy(),
        );
        write!(f, "descriptor {number} ({name}) is not {}", self.wanted)
    }
}

impl error::Error for WrongKind {}

/// Whether an `AF_UNIX` stream socket has, or had, a peer.
fn is_connected(passed: &ListenFd) -> io::Result<bool> {
    if !is_socket(
        passed,
        Some(libc::AF_UNIX),
        Some(SocketType::Stream),
        Some(false),
    )? {
        return Ok(false);
    }
    Ok(UnixStream::from(passed.fd.try_clone()?).peer_addr().is_ok())
}

/// Lets a passed descriptor be had as a type, where it is one.
macro_rules! convert {
    ($($type:ty: $wanted:literal, $is:expr;)*) => {$(
        impl TryFrom<ListenFd> for $type {
            type Error = WrongKind;

            fn try_from(passed: ListenFd) -> Result<Self, WrongKind> {
                let is: fn(&ListenFd) -> io::Result<bool> = $is;
                if is(&passed).unwrap_or(false) {
                    Ok(passed.fd.into())
                } else {
                    Err(WrongKind { passed, wanted: $wanted })
                }
            }
        }
    )*};
}

convert! {
    UnixDatagram: "an AF_UNIX datagram socket: its unit needs ListenDatagram= with a path or an abstract name",
        |fd| is_socket(fd, Some(libc::AF_UNIX), Some(SocketType::Datagram), None);
    UnixListener: "a listening AF_UNIX stream socket: its unit needs ListenStream= with a path or an abstract \
        name, and Accept=no",
        |fd| is_socket(fd, Some(libc::AF_UNIX), Some(SocketType::Stream), Some(true));
    UnixStream: "a connected AF_UNIX stream socket: its unit needs ListenStream= with a path or an abstract \
        name, and Accept=yes",
        is_connected;
    UdpSocket: "a UDP socket: its unit needs ListenDatagram= with a port",
        |fd| is_socket_inet(fd, None, Some(SocketType::Datagram), None, None);
    TcpListener: "a listening TCP socket: its unit needs ListenStream= with a port, and Accept=no",
        |fd| is_socket_inet(fd, None, Some(SocketType::Stream), Some(true), None);
    TcpStream: "a connected TCP socket: its unit needs ListenStream= with a port, and Accept=yes",
        |fd| is_socket_inet(fd, None, Some(SocketType::Stream), Some(false), None);
}
