//! The control messages that the kernel passes along with a datagram: the credentials of its sender,
//! and a pidfd. See unix(7).
//!
//! They come in the order credentials, descriptors that the sender attaches, pidfd. There is room
//! for credentials and a pidfd only, so attached descriptors displace the pidfd. As many as find room
//! there are closed at once; the kernel closes the others.

use crate::daemon::record::Credentials;
use nix::errno::Errno;
use std::{
    ffi::c_int,
    io,
    mem::MaybeUninit,
    os::fd::{AsFd, AsRawFd, FromRawFd, OwnedFd},
};

/// `SO_PASSPIDFD`, on the architectures that Debian has. The crate libc of Debian 13 lacks it.
const SO_PASSPIDFD: c_int = 76;

/// `SCM_PIDFD`, likewise.
const SCM_PIDFD: c_int = 4;

/// The alignment of messages, and the length of their header: its length, level and type.
const WORD: usize = size_of::<usize>();
const HEADER: usize = WORD + 2 * size_of::<c_int>();

const ROOM_FOR_CREDENTIALS: usize = room_for(size_of::<libc::ucred>());
const ROOM_FOR_PIDFD: usize = room_for(size_of::<c_int>());

/// Returns the room that a message with this length of data takes: `CMSG_SPACE` of cmsg(3).
const fn room_for(length: usize) -> usize {
    HEADER + length.next_multiple_of(WORD)
}

/// Room for the control messages of a datagram. All zeroes is a valid value.
#[repr(C, align(8))]
pub struct Control([u8; ROOM_FOR_CREDENTIALS + ROOM_FOR_PIDFD]);

/// What a socket passes along with each datagram.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Passes {
    /// The process and the user of the sender: `PassCredentials=` of systemd.socket(5).
    pub credentials: bool,
    /// A pidfd of the sender: `PassPIDFD=`, since systemd 258 and Linux 6.16.
    pub pidfd: bool,
}

impl Passes {
    /// Returns what a socket passes along.
    ///
    /// If it is anything, turns off the socket's timestamps (`Timestamping=`). The kernel would put
    /// them first, into the room for the credentials.
    ///
    /// # Errors
    ///
    /// Fails as getsockopt(2) and setsockopt(2) do.
    pub fn of(socket: impl AsFd) -> io::Result<Self> {
        let credentials = option(&socket, libc::SO_PASSCRED)?;
        let pidfd = match option(&socket, SO_PASSPIDFD) {
            // Linux before 6.5 does not know it.
            Err(Errno::ENOPROTOOPT) => false,
            result => result?,
        };
        if credentials || pidfd {
            turn_off(&socket, libc::SO_TIMESTAMP)?;
        }
        Ok(Self { credentials, pidfd })
    }

    /// Returns the length of the control messages to receive.
    pub fn room(self) -> usize {
        let credentials = if self.credentials { ROOM_FOR_CREDENTIALS } else { 0 };
        credentials + if self.pidfd { ROOM_FOR_PIDFD } else { 0 }
    }
}

/// Returns whether an option of a socket is set.
fn option(socket: &impl AsFd, name: c_int) -> nix::Result<bool> {
    let (mut value, mut size): (c_int, _) = (0, size_of::<c_int>() as libc::socklen_t);
    let (socket, place) = (socket.as_fd().as_raw_fd(), (&raw mut value).cast());
    // SAFETY: the descriptor is borrowed for the call, which writes an integer to `value`.
    Errno::result(unsafe { libc::getsockopt(socket, libc::SOL_SOCKET, name, place, &mut size) })?;
    Ok(value != 0)
}

/// Turns off an option of a socket.
fn turn_off(socket: &impl AsFd, name: c_int) -> nix::Result<()> {
    let (value, size): (c_int, _) = (0, size_of::<c_int>() as libc::socklen_t);
    let (socket, place) = (socket.as_fd().as_raw_fd(), (&raw const value).cast());
    // SAFETY: the descriptor is borrowed for the call, which reads an integer from `value`.
    Errno::result(unsafe { libc::setsockopt(socket, libc::SOL_SOCKET, name, place, size) })?;
    Ok(())
}

impl Control {
    /// Returns the credentials in the first `length` bytes. If another message takes their room,
    /// they are unknown.
    pub fn credentials(&self, length: usize) -> Credentials {
        const UNKNOWN: Credentials = Credentials { pid: 0, uid: 65534 };
        let data = self.messages(length).find(|message| message.kind == libc::SCM_CREDENTIALS);
        match data.map(|message| message.data) {
            // A ucred: the process, the user and the group.
            Some([a, b, c, d, e, f, g, h, _, _, _, _]) => Credentials {
                pid: i32::from_ne_bytes([*a, *b, *c, *d]).unsigned_abs(),
                uid: u32::from_ne_bytes([*e, *f, *g, *h]),
            },
            _ => UNKNOWN,
        }
    }

    /// Takes the pidfd that is in the first `length` bytes, and closes attached descriptors.
    ///
    /// # Safety
    ///
    /// The kernel has written these bytes, and this is called once after that: it takes the
    /// descriptors in them.
    pub unsafe fn take_pidfd(&self, length: usize) -> Option<OwnedFd> {
        let mut pidfd = None;
        for Message { kind, data } in self.messages(length) {
            if ![SCM_PIDFD, libc::SCM_RIGHTS].contains(&kind) {
                continue;
            }
            for fd in data.chunks_exact(size_of::<c_int>()) {
                let fd = c_int::from_ne_bytes(fd.try_into().unwrap_or([0xff; 4]));
                // The kernel passes an error in place of a pidfd that it can't open.
                if fd >= 0 {
                    // SAFETY: the kernel has opened the descriptor for this message, and nothing
                    // else has taken it, as the caller promises.
                    let fd = unsafe { OwnedFd::from_raw_fd(fd) };
                    if kind == SCM_PIDFD {
                        pidfd = Some(fd);
                    }
                }
            }
        }
        pidfd
    }

    /// Returns the messages of sockets in the first `length` bytes.
    fn messages(&self, length: usize) -> impl Iterator<Item = Message<'_>> {
        let mut rest = &self.0[..length.min(self.0.len())];
        let message = move || {
            let (size, header) = rest.split_first_chunk::<WORD>()?;
            let (level, header) = header.split_first_chunk()?;
            let (kind, _) = header.split_first_chunk()?;
            let size = usize::from_ne_bytes(*size);
            let data = rest.get(HEADER..size)?;
            rest = rest.get(size.next_multiple_of(WORD)..).unwrap_or_default();
            let message = Message { kind: c_int::from_ne_bytes(*kind), data };
            Some((c_int::from_ne_bytes(*level) == libc::SOL_SOCKET).then_some(message))
        };
        std::iter::from_fn(message).flatten()
    }
}

/// A control message of a socket.
struct Message<'a> {
    kind: c_int,
    data: &'a [u8],
}

/// The beginning of `struct pidfd_info`, as Linux 6.13 has it.
#[repr(C)]
pub struct PidfdInfo {
    mask: u64,
    cgroup: u64,
    ids: [u32; 11],
    exit_code: i32,
}

/// What to ask for, and what the kernel has answered: `PIDFD_INFO_CGROUPID` and `PIDFD_INFO_EXIT`.
const INFO_CGROUP: u64 = 1 << 2;
const INFO_EXIT: u64 = 1 << 3;

nix::ioctl_readwrite! {
    /// `PIDFD_GET_INFO`. The pointer must be valid.
    pidfd_get_info, 0xff, 11, PidfdInfo
}

/// Returns the ID of the control group that a process is in, or was in when it ended.
///
/// # Errors
///
/// Fails as the ioctl `PIDFD_GET_INFO` does: with `ESRCH` or, on Linux 6.18, `EREMOTE` if the process
/// can't be seen from here, and with `ENOTTY` before Linux 6.13. A process that has ended fails before
/// 6.15.
pub fn cgroup_of(pidfd: impl AsFd) -> io::Result<u64> {
    let mut info = MaybeUninit::<PidfdInfo>::zeroed();
    // SAFETY: the structure consists of integers. The descriptor is borrowed for the call, which
    // writes to the structure, of the length that is part of the request.
    let info = unsafe {
        (*info.as_mut_ptr()).mask = INFO_CGROUP | INFO_EXIT;
        pidfd_get_info(pidfd.as_fd().as_raw_fd(), info.as_mut_ptr())?;
        info.assume_init()
    };
    if info.mask & INFO_CGROUP == 0 { Err(Errno::ENODATA.into()) } else { Ok(info.cgroup) }
}
