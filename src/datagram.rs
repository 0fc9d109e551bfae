//! A batch of datagrams from a socket, in memory that stays as small as small datagrams need.
//!
//! Each datagram of a batch has a slot. What is received goes to the slot's head, and only what does not
//! fit there to its tail: address space that costs no memory until a large datagram comes, and whose
//! memory is given back when the traffic pauses.

use nix::errno::Errno;
use std::{
    io,
    mem::{self, MaybeUninit},
    ops::Range,
    os::fd::{AsFd, AsRawFd},
    ptr, slice,
};

/// The longest datagram that is held whole, in bytes. A sender's default send buffer is 212,992 bytes.
pub const MAX_LENGTH: usize = 256 * 1024;

/// Datagrams that one call receives at most.
const SLOTS: usize = 16;

/// Bytes of a datagram that cost no page of their own.
const HEAD: usize = 512;

/// Where in an address its name begins, and how many bytes it has at most.
const NAME_OFFSET: usize = mem::offset_of!(libc::sockaddr_un, sun_path);
const NAME_ROOM: usize = size_of::<libc::sockaddr_un>() - NAME_OFFSET;

/// A datagram of a [`Batch`].
#[derive(Clone, Copy, Debug)]
pub struct Datagram<'a> {
    /// The bytes of the sender's `sun_path` that the kernel gave, none where its socket is not bound.
    pub sender: &'a [u8],
    /// The length as sent, in bytes; more than that of the payload where it was over [`MAX_LENGTH`].
    pub length: usize,
    /// What was received.
    pub payload: &'a [u8],
}

/// What recvmmsg(2) works on. The pointers between its parts keep it in one place, see [`Batch`].
///
/// What is small stands together at the beginning, so that few pages are touched.
struct Slots {
    headers: [libc::mmsghdr; SLOTS],
    vectors: [[libc::iovec; 2]; SLOTS],
    senders: [MaybeUninit<libc::sockaddr_un>; SLOTS],
    heads: [MaybeUninit<[u8; HEAD]>; SLOTS],
    /// The first [`HEAD`] bytes of each are left for what the head holds.
    tails: [MaybeUninit<[u8; MAX_LENGTH]>; SLOTS],
}

/// Receives datagrams, many with one system call.
pub struct Batch {
    /// Room for one `Slots`.
    _memory: Vec<Slots>,
    /// The only way to it, since the kernel uses it too.
    slots: *mut Slots,
    /// The slots that hold datagrams which have been received, but not taken.
    received: Range<usize>,
    /// Whether tails have been written to since their memory was last given back.
    large: bool,
}

impl Batch {
    /// Reserves the memory for a batch; receiving needs no more than this.
    ///
    /// # Errors
    ///
    /// `OutOfMemory` where the address space is not to be had.
    pub fn new() -> io::Result<Self> {
        let mut memory: Vec<Slots> = reserve(1)?;
        let slots = memory.as_mut_ptr();
        for slot in 0..SLOTS {
            // SAFETY: `slots` is valid for writes and nobody else's, and all zeroes is a header. The
            // pointers stay valid as long as the batch: they point into `slots`, which stays in place.
            unsafe {
                let head = &raw mut (*slots).heads[slot];
                let tail = (&raw mut (*slots).tails[slot]).cast::<u8>().add(HEAD);
                (&raw mut (*slots).vectors[slot]).write([
                    libc::iovec { iov_base: head.cast(), iov_len: HEAD },
                    libc::iovec { iov_base: tail.cast(), iov_len: MAX_LENGTH - HEAD },
                ]);
                let mut header: libc::mmsghdr = mem::zeroed();
                header.msg_hdr.msg_name = (&raw mut (*slots).senders[slot]).cast();
                header.msg_hdr.msg_iov = (&raw mut (*slots).vectors[slot]).cast();
                header.msg_hdr.msg_iovlen = 2;
                (&raw mut (*slots).headers[slot]).write(header);
            }
        }
        Ok(Self { _memory: memory, slots, received: 0..0, large: false })
    }

    /// Receives what is queued, as far as there are slots, without waiting, and says how many datagrams that
    /// were. What had been received before and not been taken is gone.
    ///
    /// Descriptors that a sender attached are not taken: the kernel closes them.
    ///
    /// # Errors
    ///
    /// `WouldBlock` where nothing is queued; otherwise as recvmmsg(2).
    pub fn receive(&mut self, socket: impl AsFd) -> io::Result<usize> {
        self.received = 0..0;
        // MSG_TRUNC makes the length known of a datagram that is too long for its slot.
        let flags = libc::MSG_DONTWAIT | libc::MSG_TRUNC;
        // SAFETY: `slots` and the pointers in it are valid, see `new`, and nothing borrows from them.
        let count = unsafe {
            let headers = &mut (*self.slots).headers;
            for header in &mut *headers {
                header.msg_hdr.msg_namelen = size_of::<libc::sockaddr_un>() as libc::socklen_t;
            }
            let socket = socket.as_fd().as_raw_fd();
            libc::recvmmsg(socket, headers.as_mut_ptr(), SLOTS as _, flags as _, ptr::null_mut())
        };
        let count = usize::try_from(Errno::result(count)?).unwrap_or_default();
        self.received = 0..count;
        Ok(count)
    }

    /// Whether there are datagrams to be taken.
    pub fn is_empty(&self) -> bool {
        self.received.is_empty()
    }

    /// Takes the next of the datagrams that were received.
    pub fn take(&mut self) -> Option<Datagram<'_>> {
        let slot = self.received.next()?;
        self.gather(slot);
        Some(self.datagram(slot))
    }

    /// Puts the head of a large datagram before its tail, where room was left for it.
    fn gather(&mut self, slot: usize) {
        // SAFETY: the slot's datagram has been received, and was longer than the head, which is thus
        // written; there is room for it before the tail, see `new`.
        unsafe {
            if (*self.slots).headers[slot].msg_len as usize > HEAD {
                let head = (&raw const (*self.slots).heads[slot]).cast::<u8>();
                ptr::copy_nonoverlapping(head, (&raw mut (*self.slots).tails[slot]).cast(), HEAD);
                self.large = true;
            }
        }
    }

    /// The datagram of a slot that was received and gathered.
    fn datagram(&self, slot: usize) -> Datagram<'_> {
        // SAFETY: `slots` is valid, and while the result is in use the batch is borrowed, so that neither
        // the kernel nor `gather` writes. The kernel has written as many bytes as the lengths say.
        unsafe {
            let header = &(*self.slots).headers[slot];
            let length = header.msg_len as usize;
            let start = match length {
                ..=HEAD => (&raw const (*self.slots).heads[slot]).cast(),
                _ => (&raw const (*self.slots).tails[slot]).cast(),
            };
            let payload = slice::from_raw_parts(start, length.min(MAX_LENGTH));
            // A path of all 108 bytes is given with its NUL, so is longer than there is room for.
            let named = (header.msg_hdr.msg_namelen as usize).saturating_sub(NAME_OFFSET).min(NAME_ROOM);
            let address = (&raw const (*self.slots).senders[slot]).cast::<u8>();
            let sender = slice::from_raw_parts(address.add(NAME_OFFSET), named);
            Datagram { sender, length, payload }
        }
    }

    /// Gives back the memory that large datagrams took. For when the traffic pauses, and all are taken.
    pub fn rest(&mut self) {
        if self.received.is_empty() && mem::take(&mut self.large) {
            // SAFETY: `slots` is valid, nothing borrows from it, and with no datagram left to be taken the
            // tails hold nothing.
            let tails = unsafe {
                let tails = (&raw mut (*self.slots).tails).cast();
                slice::from_raw_parts_mut::<MaybeUninit<u8>>(tails, SLOTS * MAX_LENGTH)
            };
            advise(tails, libc::MADV_DONTNEED);
        }
    }
}

/// Reserves an empty buffer that takes up memory only as it is written to.
///
/// # Errors
///
/// `OutOfMemory` where the address space is not to be had.
pub fn reserve<T>(capacity: usize) -> io::Result<Vec<T>> {
    let mut buffer = Vec::new();
    buffer.try_reserve_exact(capacity).map_err(|_| io::ErrorKind::OutOfMemory)?;
    // A huge page would take 2 MiB for the first byte.
    advise(buffer.spare_capacity_mut(), libc::MADV_NOHUGEPAGE);
    Ok(buffer)
}

/// Gives the memory behind a buffer's unused capacity back to the kernel; the capacity stays.
pub fn give_back(buffer: &mut Vec<u8>) {
    advise(buffer.spare_capacity_mut(), libc::MADV_DONTNEED);
}

/// Tells the kernel how the whole pages of memory that holds nothing are used, see madvise(2).
///
/// It is advice: a kernel that does not take it leaves all as it was.
fn advise<T>(memory: &mut [MaybeUninit<T>], advice: libc::c_int) {
    // SAFETY: sysconf only reads.
    let page = usize::try_from(unsafe { libc::sysconf(libc::_SC_PAGESIZE) }).unwrap_or(4096);
    let start: *mut u8 = memory.as_mut_ptr().cast();
    let skip = start.align_offset(page);
    let length = size_of_val(memory).saturating_sub(skip) / page * page;
    // SAFETY: the pages lie within the memory, which holds nothing that could be lost, and comes from malloc,
    // so are private and anonymous: at worst they read as zeroes afterwards.
    unsafe { libc::madvise(start.wrapping_add(skip).cast(), length, advice) };
}
