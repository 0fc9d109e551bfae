//! Memory that is reserved once, and takes up none until it is written to.

use std::{
    alloc::{Layout, alloc_zeroed},
    io,
    mem::MaybeUninit,
    slice,
};

/// Reserves an empty buffer.
///
/// # Errors
///
/// `OutOfMemory` if there is no address space for it.
pub fn reserve(capacity: usize) -> io::Result<Vec<u8>> {
    let mut buffer = Vec::new();
    buffer
        .try_reserve_exact(capacity)
        .map_err(|_| io::ErrorKind::OutOfMemory)?;
    // A huge page would take 2 MiB for the first byte.
    advise(buffer.spare_capacity_mut(), libc::MADV_NOHUGEPAGE);
    Ok(buffer)
}

/// Reserves a value whose bytes are all zero.
///
/// # Errors
///
/// `OutOfMemory` if there is no address space for it.
pub fn zeroed<T>() -> io::Result<Box<MaybeUninit<T>>> {
    const { assert!(size_of::<T>() > 0) };
    // SAFETY: the size is not zero. What is allocated has the layout that the box frees.
    unsafe {
        let place = alloc_zeroed(Layout::new::<T>());
        if place.is_null() {
            return Err(io::ErrorKind::OutOfMemory.into());
        }
        advise(
            slice::from_raw_parts_mut(place.cast(), size_of::<T>()),
            libc::MADV_NOHUGEPAGE,
        );
        Ok(Box::from_raw(place.cast()))
    }
}

/// Gives the memory behind a buffer's unused capacity back to the kernel. The capacity stays.
pub fn free_unused(buffer: &mut Vec<u8>) {
    advise(buffer.spare_capacity_mut(), libc::MADV_DONTNEED);
}

/// Gives the whole pages of a buffer back to the kernel. They read as zeroes afterwards.
pub fn free_pages(buffer: &mut [u8]) {
    // SAFETY: MaybeUninit has the layout of what it holds, and `advise` writes nothing but zeroes.
    let pages = unsafe { &mut *(&raw mut *buffer as *mut [MaybeUninit<u8>]) };
    advise(pages, libc::MADV_DONTNEED);
}

/// Tells the kernel how the whole pages of memory from malloc are used. At worst they read as zeroes afterwards; a
/// kernel that does not take the advice leaves them as they are. madvise(2).
fn advise(memory: &mut [MaybeUninit<u8>], advice: libc::c_int) {
    // SAFETY: sysconf only reads.
    let page = usize::try_from(unsafe { libc::sysconf(libc::_SC_PAGESIZE) }).unwrap_or(4096);
    let start: *mut u8 = memory.as_mut_ptr().cast();
    let skip = start.align_offset(page);
    let length = memory.len().saturating_sub(skip) / page * page;
    // SAFETY: the pages lie within the memory, which nobody else has. They are malloc's, so private and anonymous.
    unsafe { libc::madvise(start.wrapping_add(skip).cast(), length, advice) };
}
