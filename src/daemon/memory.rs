//! Address space that is reserved once. Its pages take up memory from the first write until they
//! are given back.

use std::{
    alloc::{Layout, alloc_zeroed},
    io,
    mem::MaybeUninit,
    slice,
};

/// Returns an empty buffer with this capacity.
///
/// # Errors
///
/// Fails with `OutOfMemory` if there is not enough address space.
pub fn reserve(capacity: usize) -> io::Result<Vec<u8>> {
    let mut buffer = Vec::new();
    buffer.try_reserve_exact(capacity).map_err(|_| io::ErrorKind::OutOfMemory)?;
    // With huge pages, the first byte would take up 2 MiB.
    advise(buffer.spare_capacity_mut(), libc::MADV_NOHUGEPAGE);
    Ok(buffer)
}

/// Returns a value whose bytes are all zero.
///
/// # Errors
///
/// Fails with `OutOfMemory` if there is not enough address space.
pub fn zeroed<T>() -> io::Result<Box<MaybeUninit<T>>> {
    const { assert!(size_of::<T>() > 0) };
    // SAFETY: the size is not zero. The box frees the memory with the layout it was allocated with.
    unsafe {
        let place = alloc_zeroed(Layout::new::<T>());
        if place.is_null() {
            return Err(io::ErrorKind::OutOfMemory.into());
        }
        advise(slice::from_raw_parts_mut(place.cast(), size_of::<T>()), libc::MADV_NOHUGEPAGE);
        Ok(Box::from_raw(place.cast()))
    }
}

/// Gives the memory behind a buffer's unused capacity back to the kernel. The capacity stays.
pub fn free_unused(buffer: &mut Vec<u8>) {
    advise(buffer.spare_capacity_mut(), libc::MADV_DONTNEED);
}

/// Gives the whole pages of a buffer back to the kernel. They read as zeroes afterwards.
pub fn free_pages(buffer: &mut [u8]) {
    // SAFETY: MaybeUninit<u8> has the layout of u8, and `advise` writes zeroes only.
    let pages = unsafe { &mut *(&raw mut *buffer as *mut [MaybeUninit<u8>]) };
    advise(pages, libc::MADV_DONTNEED);
}

/// Calls madvise(2) for the whole pages of memory from malloc.
///
/// The pages may read as zeroes afterwards. A kernel that ignores the advice leaves them unchanged.
fn advise(memory: &mut [MaybeUninit<u8>], advice: libc::c_int) {
    // SAFETY: sysconf only reads.
    let page = usize::try_from(unsafe { libc::sysconf(libc::_SC_PAGESIZE) }).unwrap_or(4096);
    let start: *mut u8 = memory.as_mut_ptr().cast();
    let skip = start.align_offset(page);
    let length = memory.len().saturating_sub(skip) / page * page;
    // SAFETY: the pages lie within `memory`, which is borrowed exclusively. They come from malloc,
    // so they are private and anonymous.
    unsafe { libc::madvise(start.wrapping_add(skip).cast(), length, advice) };
}
