//! Receives datagrams in batches, into memory that stays small while datagrams are small.
//!
//! Each datagram of a batch has a slot. Its first bytes go to the slot's head, and only the rest to
//! the slot's tail. The tail is address space that takes up memory only from a large datagram on,
//! until `free_memory`.
//!
//! A slot is free, or received. `receive` fills slots, and `take` frees one. `free_memory` and the
//! next `receive` come when all are free.

pub mod control;

use super::{
    memory::{free_pages, zeroed},
    record::Credentials,
};
use control::{Control, Passes};
use nix::errno::Errno;
use std::{
    io,
    mem::{self, MaybeUninit},
    ops::Range,
    os::fd::{AsFd, AsRawFd, OwnedFd},
    ptr,
};

/// The longest datagram that is not truncated, in bytes. A sender's default send buffer, 212,992
/// bytes, allows no longer ones.
pub const MAX_LENGTH: usize = 256 * 1024;

/// Most datagrams that one call receives. They share the cost of the call.
const SLOTS: usize = 16;

/// Bytes of a datagram in the head. The heads of a batch take up two pages.
const HEAD: usize = 512;

/// Most datagrams that [`queued`] counts, since the kernel passes all counted ones each time. Queues
/// hold 513 by default.
const QUEUED_MAX: usize = 16_384;

/// Where the name begins in an address.
const NAME_OFFSET: usize = mem::offset_of!(libc::sockaddr_un, sun_path);

/// A datagram of a [`Batch`].
#[derive(Debug)]
pub struct Datagram<'a> {
    /// Who sent it, if the socket passes credentials.
    pub credentials: Option<Credentials>,
    /// A pidfd of the sender, if the socket passes it.
    pub pidfd: Option<OwnedFd>,
    /// The sender's `sun_path` as the kernel returned it; empty if its socket is not bound.
    pub sender: &'a [u8],
    /// The length as sent, in bytes. Greater than that of the payload if it is over [`MAX_LENGTH`].
    pub length: usize,
    /// The bytes received.
    pub payload: &'a [u8],
}

/// The memory that recvmmsg(2) uses. It must not move, since its parts point to each other, see
/// [`Batch`]. All zeroes is a valid value.
///
/// The small parts come first, so that small datagrams touch few pages.
#[repr(C)]
struct Slots {
    headers: [libc::mmsghdr; SLOTS],
    controls: [Control; SLOTS],
    vectors: [[libc::iovec; 2]; SLOTS],
    senders: [[u8; size_of::<libc::sockaddr_un>()]; SLOTS],
    heads: [[u8; HEAD]; SLOTS],
    /// The first [`HEAD`] bytes of each are for a copy of the head.
    tails: [[u8; MAX_LENGTH]; SLOTS],
}

/// Returns how many datagrams are queued at a socket. Counts at most 16,384, of 2 GiB.
///
/// The kernel returns only the length of the next one, so this looks past one after another:
/// `SO_PEEK_OFF` of socket(7).
///
/// # Errors
///
/// Fails as setsockopt(2) and recv(2) do.
pub fn queued(socket: impl AsFd) -> io::Result<usize> {
    let socket = socket.as_fd().as_raw_fd();
    let look_from = |offset: libc::c_int| {
        let (place, size) = ((&raw const offset).cast(), size_of::<libc::c_int>());
        // SAFETY: the descriptor is borrowed for the call, which reads an integer from `offset`.
        Errno::result(unsafe {
            libc::setsockopt(socket, libc::SOL_SOCKET, libc::SO_PEEK_OFF, place, size as _)
        })
    };
    let (mut offset, mut count) = (0, 0);
    let result = loop {
        if let Err(errno) = look_from(offset) {
            break Err(errno);
        }
        if count == QUEUED_MAX {
            break Ok(count);
        }
        let flags = libc::MSG_PEEK | libc::MSG_TRUNC | libc::MSG_DONTWAIT;
        // SAFETY: the descriptor is borrowed for the call, which writes nothing to memory: it
        // returns the full length of the datagram.
        let length = unsafe { libc::recv(socket, ptr::null_mut(), 0, flags) };
        match Errno::result(length) {
            Ok(length) => {
                match libc::c_int::try_from(length).ok().and_then(|n| offset.checked_add(n)) {
                    Some(next) => (offset, count) = (next, count + 1),
                    None => break Ok(count),
                }
            }
            Err(Errno::EAGAIN) => break Ok(count),
            Err(errno) => break Err(errno),
        }
    };
    // Turns it off, also for the next foo.
    look_from(-1)?;
    Ok(result?)
}

/// Returns the length of the control messages that the kernel has written.
#[allow(
    clippy::unnecessary_cast,
    reason = "musl has another type for the length of control messages"
)]
fn control_length(header: &libc::mmsghdr) -> usize {
    header.msg_hdr.msg_controllen as usize
}

/// Receives several datagrams with one system call.
pub struct Batch {
    /// The slots, which this owns. They are accessed by this pointer only, since the kernel writes
    /// to them too.
    slots: *mut Slots,
    /// The slots with datagrams that were received and not taken yet.
    received: Range<usize>,
    /// What the socket passes along with the datagrams.
    passes: Passes,
    /// The pidfds of the datagrams that were received and not taken yet.
    pidfds: [Option<OwnedFd>; SLOTS],
    /// Whether tails were written to since their memory was last given back.
    has_used_tails: bool,
}

impl Batch {
    /// Reserves the memory for a batch. Receiving allocates no more.
    ///
    /// # Errors
    ///
    /// Fails with `OutOfMemory` if there is not enough address space.
    pub fn new() -> io::Result<Self> {
        let slots: *mut Slots = Box::into_raw(zeroed::<Slots>()?).cast();
        for slot in 0..SLOTS {
            // SAFETY: `slots` is valid and not shared. The pointers stay valid as long as the
            // batch: they point into the slots, which do not move.
            unsafe {
                let head = &raw mut (*slots).heads[slot];
                let tail = (&raw mut (*slots).tails[slot]).cast::<u8>().add(HEAD);
                (*slots).vectors[slot] = [
                    libc::iovec { iov_base: head.cast(), iov_len: HEAD },
                    libc::iovec { iov_base: tail.cast(), iov_len: MAX_LENGTH - HEAD },
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
            passes: Passes::default(),
            pidfds: [const { None }; SLOTS],
            has_used_tails: false,
        })
    }

    /// Receives queued datagrams of a socket without blocking. Returns how many. Drops those of the
    /// last call that were not taken.
    ///
    /// Descriptors that a sender attached are closed. A socket of another type yields no datagrams,
    /// but never memory outside the batch. `passes` is what [`Passes::of`] returned for the socket.
    ///
    /// # Errors
    ///
    /// Fails with `WouldBlock` if nothing is queued, and otherwise as recvmmsg(2) does.
    pub fn receive(&mut self, socket: impl AsFd, passes: Passes) -> io::Result<usize> {
        (self.received, self.passes) = (0..0, passes);
        // With MSG_TRUNC the kernel returns the full length of a truncated datagram.
        let flags = libc::MSG_DONTWAIT | libc::MSG_TRUNC;
        // SAFETY: `slots` and the pointers in it are valid, see `new`, and nothing borrows from the
        // slots.
        let count = unsafe {
            let headers = &mut (*self.slots).headers;
            for header in &mut *headers {
                header.msg_hdr.msg_namelen = size_of::<libc::sockaddr_un>() as libc::socklen_t;
                header.msg_hdr.msg_controllen = passes.room() as _;
            }
            let socket = socket.as_fd().as_raw_fd();
            libc::recvmmsg(socket, headers.as_mut_ptr(), SLOTS as _, flags as _, ptr::null_mut())
        };
        let count = usize::try_from(Errno::result(count)?).unwrap_or_default();
        self.received = 0..count.min(SLOTS);
        if passes.pidfd {
            for slot in self.received.clone() {
                // SAFETY: as above. The kernel has just written the slot, so this takes its
                // descriptors once.
                self.pidfds[slot] = unsafe {
                    let slots = &*self.slots;
                    slots.controls[slot].take_pidfd(control_length(&slots.headers[slot]))
                };
            }
        }
        Ok(count)
    }

    /// Returns how many datagrams were received and not taken.
    pub fn len(&self) -> usize {
        self.received.len()
    }

    /// Returns whether all datagrams were taken.
    pub fn is_empty(&self) -> bool {
        self.received.is_empty()
    }

    /// Returns the next datagram that was received, and frees its slot.
    pub fn take(&mut self) -> Option<Datagram<'_>> {
        let slot = self.received.next()?;
        // SAFETY: `slots` is valid and always initialized. The result borrows the batch, so the
        // kernel does not write meanwhile.
        let slots = unsafe { &mut *self.slots };
        let header = &slots.headers[slot];
        let length = header.msg_len as usize;
        let payload = if length <= HEAD {
            &slots.heads[slot][..length]
        } else {
            self.has_used_tails = true;
            let tail = &mut slots.tails[slot];
            tail[..HEAD].copy_from_slice(&slots.heads[slot]);
            &tail[..length.min(MAX_LENGTH)]
        };
        // For a path of all 108 bytes the kernel counts a NUL, for which there is no room.
        let end = (header.msg_hdr.msg_namelen as usize).min(size_of::<libc::sockaddr_un>());
        let sender = slots.senders[slot].get(NAME_OFFSET..end).unwrap_or_default();
        let control = &slots.controls[slot];
        let credentials =
            self.passes.credentials.then(|| control.credentials(control_length(header)));
        Some(Datagram { credentials, pidfd: self.pidfds[slot].take(), sender, length, payload })
    }

    /// Gives back the memory of large datagrams. Called when the traffic pauses; does nothing if
    /// datagrams are left to take.
    pub fn free_memory(&mut self) {
        if self.received.is_empty() && mem::take(&mut self.has_used_tails) {
            // SAFETY: as in `take`.
            free_pages(unsafe { (*self.slots).tails.as_flattened_mut() });
        }
    }
}

impl Drop for Batch {
    fn drop(&mut self) {
        // SAFETY: the pointer is from `Box::into_raw` in `new`, and nothing borrows from the slots.
        drop(unsafe { Box::from_raw(self.slots.cast::<MaybeUninit<Slots>>()) });
    }
}
