//! A batch of datagrams from a socket, in memory that stays as small as small datagrams need.
//!
//! Each datagram of a batch has a slot. What is received goes to the slot's head, and only what does not
//! fit there to its tail: address space that costs no memory until a large datagram comes, and whose
//! memory is given back when the traffic pauses.

use crate::{
    memory::{free_pages, zeroed},
    record::Credentials,
};
use nix::errno::Errno;
use std::{
    io,
    mem::{self, MaybeUninit},
    ops::Range,
    os::fd::{AsFd, AsRawFd},
    ptr,
};

/// The longest datagram that is held whole, in bytes. A sender's default send buffer is 212,992 bytes.
pub const MAX_LENGTH: usize = 256 * 1024;

/// Datagrams that one call receives at most.
const SLOTS: usize = 16;

/// Bytes of a datagram that cost no page of their own.
const HEAD: usize = 512;

/// Where in an address its name begins.
const NAME_OFFSET: usize = mem::offset_of!(libc::sockaddr_un, sun_path);

/// A datagram of a [`Batch`].
#[derive(Clone, Copy, Debug)]
pub struct Datagram<'a> {
    /// Who sent it, if the socket asks for that.
    pub credentials: Option<Credentials>,
    /// The bytes of the sender's `sun_path` that the kernel gave, none if its socket is not bound.
    pub sender: &'a [u8],
    /// The length as sent, in bytes; more than that of the payload if it was over [`MAX_LENGTH`].
    pub length: usize,
    /// What was received.
    pub payload: &'a [u8],
}

/// What recvmmsg(2) works on. The pointers between its parts keep it in one place, see [`Batch`]. All zeroes is a
/// value of it.
///
/// What is small stands together at the beginning, so that few pages are touched.
struct Slots {
    headers: [libc::mmsghdr; SLOTS],
    controls: [Control; SLOTS],
    vectors: [[libc::iovec; 2]; SLOTS],
    senders: [[u8; size_of::<libc::sockaddr_un>()]; SLOTS],
    heads: [[u8; HEAD]; SLOTS],
    /// The first [`HEAD`] bytes of each are left for what the head holds.
    tails: [[u8; MAX_LENGTH]; SLOTS],
}

/// Room for one control message with credentials, which the kernel puts first. There is none for descriptors that a
/// sender attached: the kernel closes them.
#[repr(C)]
struct Control {
    header: libc::cmsghdr,
    credentials: libc::ucred,
}

impl Control {
    /// The credentials in the first `length` bytes. If something else takes their room, they are unknown.
    fn credentials(&self, length: usize) -> Credentials {
        const UNKNOWN: Credentials = Credentials { pid: 0, uid: 65534 };
        let Self {
            header,
            credentials,
        } = self;
        let is_whole = length >= size_of::<Self>();
        let is_credentials =
            (header.cmsg_level, header.cmsg_type) == (libc::SOL_SOCKET, libc::SCM_CREDENTIALS);
        if is_whole && is_credentials {
            Credentials {
                pid: credentials.pid.unsigned_abs(),
                uid: credentials.uid,
            }
        } else {
            UNKNOWN
        }
    }
}

/// Returns whether a socket asks for the credentials of senders: `PassCredentials=` of systemd.socket(5).
///
/// If it does, it gives no timestamps from now on (`Timestamping=`): the kernel puts them first, where the credentials
/// have their room.
///
/// # Errors
///
/// As getsockopt(2) and setsockopt(2).
pub fn asks_for_credentials(socket: impl AsFd) -> io::Result<bool> {
    let (mut value, mut size): (libc::c_int, _) = (0, size_of::<libc::c_int>() as libc::socklen_t);
    let (socket, place) = (socket.as_fd().as_raw_fd(), (&raw mut value).cast());
    // SAFETY: the descriptor is borrowed for the call, which writes an integer, for which `value` is the place.
    Errno::result(unsafe {
        libc::getsockopt(
            socket,
            libc::SOL_SOCKET,
            libc::SO_PASSCRED,
            place,
            &mut size,
        )
    })?;
    let asks = value != 0;
    if asks {
        value = 0;
        // SAFETY: as above, but the call reads the integer.
        Errno::result(unsafe {
            libc::setsockopt(
                socket,
                libc::SOL_SOCKET,
                libc::SO_TIMESTAMP,
                (&raw const value).cast(),
                size,
            )
        })?;
    }
    Ok(asks)
}

/// Receives datagrams, many with one system call.
pub struct Batch {
    /// The only way to the slots, since the kernel uses them too. Owned by this.
    slots: *mut Slots,
    /// The slots that hold datagrams which have been received, but not taken.
    received: Range<usize>,
    /// Whether they have credentials.
    credentials: bool,
    /// Whether tails have been written to since their memory was last given back.
    large: bool,
}

impl Batch {
    /// Reserves the memory for a batch; receiving needs no more than this.
    ///
    /// # Errors
    ///
    /// `OutOfMemory` if there is no address space for it.
    pub fn new() -> io::Result<Self> {
        let slots: *mut Slots = Box::into_raw(zeroed::<Slots>()?).cast();
        for slot in 0..SLOTS {
            // SAFETY: `slots` is valid, and nobody else's. The pointers stay valid as long as the batch: they point
            // into the slots, which stay in place.
            unsafe {
                let head = &raw mut (*slots).heads[slot];
                let tail = (&raw mut (*slots).tails[slot]).cast::<u8>().add(HEAD);
                (*slots).vectors[slot] = [
                    libc::iovec {
                        iov_base: head.cast(),
                        iov_len: HEAD,
                    },
                    libc::iovec {
                        iov_base: tail.cast(),
                        iov_len: MAX_LENGTH - HEAD,
                    },
                ];
                let header = &raw mut (*slots).headers[slot].msg_hdr;
                (*header).msg_name = (&raw mut (*slots).senders[slot]).cast();
                (*header).msg_iov = (&raw mut (*slots).vectors[slot]).cast();
                (*header).msg_iovlen = 2;
                (*header).msg_control = (&raw mut (*slots).controls[slot]).cast();
            }
        }
        Ok(Self {
            slots,
            received: 0..0,
            credentials: false,
            large: false,
        })
    }

    /// Receives what is queued at a datagram socket, as far as there are slots, without waiting. Returns how many
    /// datagrams that were. What had been received before and not been taken is gone.
    ///
    /// Descriptors that a sender attached are not taken: the kernel closes them. What a socket of another type gives
    /// is no datagram, but is memory of the batch all the same. `credentials` says whether the socket
    /// [asks for them](asks_for_credentials).
    ///
    /// # Errors
    ///
    /// `WouldBlock` if nothing is queued; otherwise as recvmmsg(2).
    pub fn receive(&mut self, socket: impl AsFd, credentials: bool) -> io::Result<usize> {
        (self.received, self.credentials) = (0..0, credentials);
        // MSG_TRUNC makes the length known of a datagram that is too long for its slot.
        let flags = libc::MSG_DONTWAIT | libc::MSG_TRUNC;
        // SAFETY: `slots` and the pointers in it are valid, see `new`, and nothing borrows from them.
        let count = unsafe {
            let headers = &mut (*self.slots).headers;
            for header in &mut *headers {
                header.msg_hdr.msg_namelen = size_of::<libc::sockaddr_un>() as libc::socklen_t;
                header.msg_hdr.msg_controllen = if credentials {
                    size_of::<Control>() as _
                } else {
                    0
                };
            }
            let socket = socket.as_fd().as_raw_fd();
            libc::recvmmsg(
                socket,
                headers.as_mut_ptr(),
                SLOTS as _,
                flags as _,
                ptr::null_mut(),
            )
        };
        let count = usize::try_from(Errno::result(count)?).unwrap_or_default();
        self.received = 0..count.min(SLOTS);
        Ok(count)
    }

    /// Returns whether there are no datagrams to be taken.
    pub fn is_empty(&self) -> bool {
        self.received.is_empty()
    }

    /// Takes the next of the datagrams that were received.
    #[allow(
        clippy::unnecessary_cast,
        reason = "with musl a length of control messages is of another type"
    )]
    pub fn take(&mut self) -> Option<Datagram<'_>> {
        let slot = self.received.next()?;
        // SAFETY: `slots` is valid and always initialized. While the result is in use the batch is borrowed, so that
        // the kernel does not write.
        let slots = unsafe { &mut *self.slots };
        let header = &slots.headers[slot];
        let length = header.msg_len as usize;
        let payload = if length <= HEAD {
            &slots.heads[slot][..length]
        } else {
            self.large = true;
            let tail = &mut slots.tails[slot];
            tail[..HEAD].copy_from_slice(&slots.heads[slot]);
            &tail[..length.min(MAX_LENGTH)]
        };
        // A path of all 108 bytes is given with its NUL, so is longer than there is room for.
        let end = (header.msg_hdr.msg_namelen as usize).min(size_of::<libc::sockaddr_un>());
        let sender = slots.senders[slot]
            .get(NAME_OFFSET..end)
            .unwrap_or_default();
        let control = &slots.controls[slot];
        let credentials = self
            .credentials
            .then(|| control.credentials(header.msg_hdr.msg_controllen as usize));
        Some(Datagram {
            credentials,
            sender,
            length,
            payload,
        })
    }

    /// Gives back the memory that large datagrams took. For when the traffic pauses, and all are taken.
    pub fn free_memory(&mut self) {
        if self.received.is_empty() && mem::take(&mut self.large) {
            // SAFETY: as in `take`.
            free_pages(unsafe { (*self.slots).tails.as_flattened_mut() });
        }
    }
}

impl Drop for Batch {
    fn drop(&mut self) {
        // SAFETY: `new` made it a pointer, and nothing points into the slots any more.
        drop(unsafe { Box::from_raw(self.slots.cast::<MaybeUninit<Slots>>()) });
    }
}
