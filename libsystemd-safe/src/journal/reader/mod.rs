//! The read side of sd-journal(3).

mod data;
mod filter;
mod follow;
mod open;
mod position;

pub use data::{Data, FieldNames, Unique, catalog_for_message_id};
pub use follow::Wakeup;
pub use open::OpenFlags;

use crate::{check, id128::Id128};
use libsystemd_sys::journal as sys;
use std::{
    ffi::{CStr, c_char},
    io,
    ptr::NonNull,
    time::{Duration, SystemTime},
};

/// Reads the journal. See sd-journal(3).
///
/// ```
/// use libsystemd_safe::journal::{OpenFlags, Reader};
///
/// let mut reader = Reader::open(OpenFlags::LOCAL_ONLY)?;
/// reader.add_match("_SYSTEMD_UNIT", "foo.service")?;
/// while reader.next()? {
///     if let Some(message) = reader.data(c"MESSAGE")? {
///         println!("{}", String::from_utf8_lossy(message));
///     }
/// }
/// # Ok::<(), std::io::Error>(())
/// ```
///
/// A new reader is before the first entry. [`next`](Self::next) makes the first entry the current
/// one. Functions that read the current entry return `EADDRNOTAVAIL` if there is none: before the
/// first [`next`](Self::next) or [`previous`](Self::previous), after a function whose name begins
/// with `seek_`, after [`add_match`](Self::add_match) and [`flush_matches`](Self::flush_matches),
/// and after [`process`](Self::process) or [`wait`](Self::wait) if the entry's file was removed.
///
/// # Bytes
///
/// Fields may have any bytes. They are borrowed from a memory map of the file, which the next call
/// may change. So the reader can't be used while they are: this does not compile.
///
/// ```compile_fail,E0499
/// # use libsystemd_safe::journal::{OpenFlags, Reader};
/// let mut reader = Reader::open(OpenFlags::default())?;
/// let message = reader.data(c"MESSAGE")?;
/// reader.next()?;
/// println!("{message:?}");
/// # Ok::<(), std::io::Error>(())
/// ```
///
/// libsystemd 247 truncates compressed fields to 64 KiB, unless a program changes that. This type
/// does, with sd_journal_set_data_threshold(3), so all fields are complete.
///
/// # Threads and processes
///
/// Only the thread that opened a reader may use it, see "Notes" in sd_journal_open(3). So it is
/// neither [`Send`] nor [`Sync`]: this does not compile.
///
/// ```compile_fail,E0277
/// # use libsystemd_safe::journal::{OpenFlags, Reader};
/// let mut reader = Reader::open(OpenFlags::default())?;
/// std::thread::spawn(move || reader.next());
/// # Ok::<(), std::io::Error>(())
/// ```
///
/// Several threads can open a reader each. After fork(2), functions return `ECHILD` in the child.
///
/// # Errors
///
/// All functions return the error of libsystemd with its errno. `EBADMSG` is a corrupted file.
/// While it searches for an entry, libsystemd leaves out a file that it can't read, without an
/// error; it also leaves out files when it opens the journal, see [`open`](Self::open).
///
/// # Trust
///
/// libsystemd checks what it reads, and journald never changes an entry that it has written. But the
/// files are mapped: if another program makes a file smaller, `SIGBUS` ends this process, and if it
/// overwrites a file, borrowed bytes change. Some damage makes libsystemd abort the process. So open
/// only files that nobody but journald can write. Read others in a process of their own, from a copy.
#[derive(Debug)]
pub struct Reader {
    /// Owned, and closed by `drop`. A pointer also makes this type neither `Send` nor `Sync`.
    journal: NonNull<sys::sd_journal>,
}

impl Reader {
    /// Returns the journal, which is open while the reader exists. Only the thread that opened it
    /// has the reader.
    fn as_ptr(&self) -> *mut sys::sd_journal {
        self.journal.as_ptr()
    }

    /// Returns how much disk space all opened files take up, in bytes. See sd_journal_get_usage(3).
    ///
    /// # Errors
    ///
    /// The errors of fstat(2).
    #[doc(alias = "sd_journal_get_usage")]
    pub fn usage(&self) -> io::Result<u64> {
        let mut bytes = 0;
        // SAFETY: the journal is open. `bytes` has room for the result.
        check(unsafe { sys::sd_journal_get_usage(self.as_ptr(), &raw mut bytes) })?;
        Ok(bytes)
    }

    /// Returns the times of the first and of the last entry, or `None` if there is no entry.
    /// Matches do not count. See sd_journal_get_cutoff_realtime_usec(3).
    ///
    /// ```
    /// use libsystemd_safe::journal::{OpenFlags, Reader};
    ///
    /// let reader = Reader::open(OpenFlags::LOCAL_ONLY)?;
    /// if let Some((first, last)) = reader.cutoff_realtime()? {
    ///     println!("the entries span {:?}", last.duration_since(first));
    /// }
    /// # Ok::<(), std::io::Error>(())
    /// ```
    ///
    /// # Errors
    ///
    /// `EBADMSG` if a file is corrupted.
    #[doc(alias = "sd_journal_get_cutoff_realtime_usec")]
    pub fn cutoff_realtime(&self) -> io::Result<Option<(SystemTime, SystemTime)>> {
        let (mut from, mut to) = (0, 0);
        // SAFETY: the journal is open. `from` and `to` have room for the results.
        let any = check(unsafe {
            sys::sd_journal_get_cutoff_realtime_usec(self.as_ptr(), &raw mut from, &raw mut to)
        })?;
        Ok((any > 0).then(|| (system_time(from), system_time(to))))
    }

    /// Returns the times since a boot of its first and of its last entry, or `None` if there is no
    /// entry of this boot. Matches do not count. See sd_journal_get_cutoff_monotonic_usec(3).
    ///
    /// ```
    /// use libsystemd_safe::{id128, journal::{OpenFlags, Reader}};
    ///
    /// let reader = Reader::open(OpenFlags::LOCAL_ONLY)?;
    /// if let Some((first, last)) = reader.cutoff_monotonic(id128::boot()?)? {
    ///     println!("this boot: from {first:?} to {last:?} after its start");
    /// }
    /// # Ok::<(), std::io::Error>(())
    /// ```
    ///
    /// # Errors
    ///
    /// `EBADMSG` if a file is corrupted.
    #[doc(alias = "sd_journal_get_cutoff_monotonic_usec")]
    pub fn cutoff_monotonic(&self, boot: Id128) -> io::Result<Option<(Duration, Duration)>> {
        let (mut from, mut to) = (0, 0);
        // SAFETY: the journal is open. `from` and `to` have room for the results.
        let any = check(unsafe {
            sys::sd_journal_get_cutoff_monotonic_usec(
                self.as_ptr(),
                boot.to_sys(),
                &raw mut from,
                &raw mut to,
            )
        })?;
        Ok((any > 0).then(|| (Duration::from_micros(from), Duration::from_micros(to))))
    }

    /// Returns whether files in `/run` have been opened, which last until the next boot. See
    /// sd_journal_has_runtime_files(3).
    ///
    /// # Errors
    ///
    /// `ECHILD` after fork(2).
    #[doc(alias = "sd_journal_has_runtime_files")]
    pub fn has_runtime_files(&self) -> io::Result<bool> {
        // SAFETY: the journal is open.
        check(unsafe { sys::sd_journal_has_runtime_files(self.as_ptr()) }).map(|has| has > 0)
    }

    /// Returns whether files in `/var` have been opened. See sd_journal_has_persistent_files(3).
    ///
    /// ```
    /// use libsystemd_safe::journal::{OpenFlags, Reader};
    ///
    /// let reader = Reader::open(OpenFlags::LOCAL_ONLY)?;
    /// if reader.has_runtime_files()? && !reader.has_persistent_files()? {
    ///     println!("this journal ends with this boot");
    /// }
    /// # Ok::<(), std::io::Error>(())
    /// ```
    ///
    /// # Errors
    ///
    /// `ECHILD` after fork(2).
    #[doc(alias = "sd_journal_has_persistent_files")]
    pub fn has_persistent_files(&self) -> io::Result<bool> {
        // SAFETY: the journal is open.
        check(unsafe { sys::sd_journal_has_persistent_files(self.as_ptr()) }).map(|has| has > 0)
    }
}

impl Drop for Reader {
    fn drop(&mut self) {
        // SAFETY: the journal is open, and nothing uses it any more: what borrows from it borrows
        // from the reader.
        unsafe { sys::sd_journal_close(self.as_ptr()) };
    }
}

/// Converts a text that libsystemd allocated, and frees it.
///
/// # Safety
///
/// It must be a C string that malloc(3) allocated, and that nothing else owns.
unsafe fn owned_text(text: *mut c_char) -> Vec<u8> {
    // SAFETY: the caller promises both.
    unsafe {
        let bytes = CStr::from_ptr(text).to_bytes().to_vec();
        libc::free(text.cast());
        bytes
    }
}

/// Converts microseconds since the epoch. Any number fits.
fn system_time(microseconds: u64) -> SystemTime {
    SystemTime::UNIX_EPOCH + Duration::from_micros(microseconds)
}
