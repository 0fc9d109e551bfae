//! Where a reader is: sd_journal_next(3), sd_journal_seek_head(3), sd_journal_get_cursor(3).

use super::{Reader, owned_text, system_time};
use crate::{check, id128::Id128, invalid, microseconds, newer};
use libsystemd_sys::journal as sys;
use std::{
    ffi::{CString, c_int},
    io, ptr,
    time::{Duration, SystemTime},
};

impl Reader {
    /// Makes the next entry the current one. Returns `false` if there is none. See
    /// sd_journal_next(3).
    ///
    /// Entries are in the order of time, also those of different files. At the end, further calls
    /// return `true` when entries have been written.
    ///
    /// # Errors
    ///
    /// `EBADMSG` if the entry is corrupted.
    #[doc(alias = "sd_journal_next")]
    #[expect(clippy::should_implement_trait, reason = "the name of sd_journal_next(3)")]
    pub fn next(&mut self) -> io::Result<bool> {
        // SAFETY: the journal is open.
        check(unsafe { sys::sd_journal_next(self.as_ptr()) }).map(|moved| moved > 0)
    }

    /// Makes the entry before the current one the current one. Returns `false` if there is none.
    /// See sd_journal_previous(3).
    ///
    /// # Errors
    ///
    /// The errors of [`next`](Self::next).
    #[doc(alias = "sd_journal_previous")]
    pub fn previous(&mut self) -> io::Result<bool> {
        // SAFETY: the journal is open.
        check(unsafe { sys::sd_journal_previous(self.as_ptr()) }).map(|moved| moved > 0)
    }

    /// Moves forward by a number of entries. Returns by how many it moved: less than that at the
    /// end. See sd_journal_next_skip(3).
    ///
    /// # Errors
    ///
    /// `InvalidInput` if the number is larger than 2,147,483,647. Otherwise the errors of
    /// [`next`](Self::next).
    #[doc(alias = "sd_journal_next_skip")]
    pub fn next_skip(&mut self, entries: u32) -> io::Result<u32> {
        let entries = checked_skip(entries)?;
        // SAFETY: the journal is open.
        check(unsafe { sys::sd_journal_next_skip(self.as_ptr(), entries) }).map(c_int::unsigned_abs)
    }

    /// Moves back by a number of entries. Returns by how many it moved: less than that at the
    /// beginning. See sd_journal_previous_skip(3).
    ///
    /// ```
    /// use libsystemd_safe::journal::{OpenFlags, Reader};
    ///
    /// let mut reader = Reader::open(OpenFlags::LOCAL_ONLY)?;
    /// // The tenth of the last ten entries, and five entries later.
    /// reader.seek_tail()?;
    /// if reader.previous_skip(10)? == 10 {
    ///     reader.next_skip(5)?;
    /// }
    /// # Ok::<(), std::io::Error>(())
    /// ```
    ///
    /// # Errors
    ///
    /// The errors of [`next_skip`](Self::next_skip).
    #[doc(alias = "sd_journal_previous_skip")]
    pub fn previous_skip(&mut self, entries: u32) -> io::Result<u32> {
        let entries = checked_skip(entries)?;
        // SAFETY: the journal is open.
        check(unsafe { sys::sd_journal_previous_skip(self.as_ptr(), entries) })
            .map(c_int::unsigned_abs)
    }

    /// Seeks to before the first entry. [`next`](Self::next) must follow: before
    /// [`previous`](Self::previous), libsystemd 252 is after the first entry. See
    /// sd_journal_seek_head(3).
    ///
    /// # Errors
    ///
    /// `ECHILD` after fork(2).
    #[doc(alias = "sd_journal_seek_head")]
    pub fn seek_head(&mut self) -> io::Result<()> {
        // SAFETY: the journal is open.
        check(unsafe { sys::sd_journal_seek_head(self.as_ptr()) }).map(drop)
    }

    /// Seeks to after the last entry. [`previous`](Self::previous) must follow. If
    /// [`next`](Self::next) does, libsystemd 252 moves to the last entry, and 257 finds no new
    /// ones. See sd_journal_seek_tail(3).
    ///
    /// ```
    /// use libsystemd_safe::journal::{OpenFlags, Reader};
    ///
    /// let mut reader = Reader::open(OpenFlags::LOCAL_ONLY)?;
    /// // From here on, `next` returns entries that are written from now on.
    /// reader.seek_tail()?;
    /// if !reader.previous()? {
    ///     // There is no entry yet.
    ///     reader.seek_head()?;
    /// }
    /// # Ok::<(), std::io::Error>(())
    /// ```
    ///
    /// # Errors
    ///
    /// `ECHILD` after fork(2).
    #[doc(alias = "sd_journal_seek_tail")]
    pub fn seek_tail(&mut self) -> io::Result<()> {
        // SAFETY: the journal is open.
        check(unsafe { sys::sd_journal_seek_tail(self.as_ptr()) }).map(drop)
    }

    /// Seeks to a time since a boot. [`next`](Self::next) moves to the first entry of this time or
    /// later. See sd_journal_seek_monotonic_usec(3).
    ///
    /// # Errors
    ///
    /// `ECHILD` after fork(2).
    #[doc(alias = "sd_journal_seek_monotonic_usec")]
    pub fn seek_monotonic(&mut self, boot: Id128, time: Duration) -> io::Result<()> {
        let (journal, boot, time) = (self.as_ptr(), boot.to_sys(), microseconds(time));
        // SAFETY: the journal is open.
        check(unsafe { sys::sd_journal_seek_monotonic_usec(journal, boot, time) }).map(drop)
    }

    /// Seeks to a time of the clock. [`next`](Self::next) moves to the first entry of this time or
    /// later. See sd_journal_seek_realtime_usec(3).
    ///
    /// ```
    /// use libsystemd_safe::journal::{OpenFlags, Reader};
    /// use std::time::{Duration, SystemTime};
    ///
    /// let mut reader = Reader::open(OpenFlags::LOCAL_ONLY)?;
    /// reader.seek_realtime(SystemTime::now() - Duration::from_secs(3600))?;
    /// if reader.next()? {
    ///     println!("the first entry of the last hour came at {:?}", reader.realtime()?);
    /// }
    /// # Ok::<(), std::io::Error>(())
    /// ```
    ///
    /// # Errors
    ///
    /// `InvalidInput` if the time is before 1970.
    #[doc(alias = "sd_journal_seek_realtime_usec")]
    pub fn seek_realtime(&mut self, time: SystemTime) -> io::Result<()> {
        let Ok(time) = time.duration_since(SystemTime::UNIX_EPOCH) else {
            return invalid("the journal has no times before 1970");
        };
        // SAFETY: the journal is open.
        check(unsafe { sys::sd_journal_seek_realtime_usec(self.as_ptr(), microseconds(time)) })
            .map(drop)
    }

    /// Seeks to the entry of a [cursor](Self::cursor). [`next`](Self::next) and
    /// [`previous`](Self::previous) move to that entry, or to one nearby if the journal does not
    /// have it: see [`test_cursor`](Self::test_cursor). See sd_journal_seek_cursor(3).
    ///
    /// ```no_run
    /// use libsystemd_safe::journal::{OpenFlags, Reader};
    ///
    /// let mut reader = Reader::open(OpenFlags::LOCAL_ONLY)?;
    /// // Goes on after the entry that a former process has read last.
    /// let cursor = std::fs::read_to_string("/var/lib/example/cursor")?;
    /// reader.seek_cursor(&cursor)?;
    /// if reader.next()? && !reader.test_cursor(&cursor)? {
    ///     println!("The entry is not in the journal any more: this is a later one");
    /// }
    /// # Ok::<(), std::io::Error>(())
    /// ```
    ///
    /// # Errors
    ///
    /// `InvalidInput` if the text contains a NUL. `EINVAL` if it is not a cursor.
    #[doc(alias = "sd_journal_seek_cursor")]
    pub fn seek_cursor(&mut self, cursor: &str) -> io::Result<()> {
        let cursor = CString::new(cursor)?;
        // SAFETY: the journal is open. The cursor is a C string, which the call only reads.
        check(unsafe { sys::sd_journal_seek_cursor(self.as_ptr(), cursor.as_ptr()) }).map(drop)
    }

    /// Returns a text that identifies the current entry, also on other machines. See
    /// sd_journal_get_cursor(3).
    ///
    /// One entry can have different cursors, so don't compare them:
    /// [`test_cursor`](Self::test_cursor) does that.
    ///
    /// # Errors
    ///
    /// `EADDRNOTAVAIL` if there is no current entry.
    #[doc(alias = "sd_journal_get_cursor")]
    pub fn cursor(&self) -> io::Result<String> {
        let mut cursor = ptr::null_mut();
        // SAFETY: the journal is open. `cursor` has room for the result, which is an allocated C
        // string that is the caller's.
        let cursor = unsafe {
            check(sys::sd_journal_get_cursor(self.as_ptr(), &raw mut cursor))?;
            owned_text(cursor)
        };
        // It is ASCII.
        String::from_utf8(cursor).map_err(io::Error::other)
    }

    /// Returns whether the current entry is the one of a cursor. See sd_journal_test_cursor(3).
    ///
    /// # Errors
    ///
    /// `EADDRNOTAVAIL` if there is no current entry. Otherwise the errors of
    /// [`seek_cursor`](Self::seek_cursor).
    #[doc(alias = "sd_journal_test_cursor")]
    pub fn test_cursor(&self, cursor: &str) -> io::Result<bool> {
        let cursor = CString::new(cursor)?;
        // SAFETY: the journal is open. The cursor is a C string, which the call only reads.
        check(unsafe { sys::sd_journal_test_cursor(self.as_ptr(), cursor.as_ptr()) })
            .map(|same| same > 0)
    }

    /// Returns when the journal received the current entry, by the clock. See
    /// sd_journal_get_realtime_usec(3).
    ///
    /// # Errors
    ///
    /// `EADDRNOTAVAIL` if there is no current entry.
    #[doc(alias = "sd_journal_get_realtime_usec")]
    pub fn realtime(&self) -> io::Result<SystemTime> {
        let mut time = 0;
        // SAFETY: the journal is open. `time` has room for the result.
        check(unsafe { sys::sd_journal_get_realtime_usec(self.as_ptr(), &raw mut time) })?;
        Ok(system_time(time))
    }

    /// Returns when the journal received the current entry: the time of `CLOCK_MONOTONIC`, and the
    /// ID of the boot that it counts from. See sd_journal_get_monotonic_usec(3).
    ///
    /// ```
    /// use libsystemd_safe::journal::{OpenFlags, Reader};
    ///
    /// let mut reader = Reader::open(OpenFlags::LOCAL_ONLY)?;
    /// reader.seek_tail()?;
    /// if reader.previous()? {
    ///     let (time, boot) = reader.monotonic()?;
    ///     // To the first entry of the second in which the last one came.
    ///     reader.seek_monotonic(boot, std::time::Duration::from_secs(time.as_secs()))?;
    /// }
    /// # Ok::<(), std::io::Error>(())
    /// ```
    ///
    /// # Errors
    ///
    /// `EADDRNOTAVAIL` if there is no current entry.
    #[doc(alias = "sd_journal_get_monotonic_usec")]
    pub fn monotonic(&self) -> io::Result<(Duration, Id128)> {
        let (mut time, mut boot) = (0, Id128::default().to_sys());
        // SAFETY: the journal is open. `time` and `boot` have room for the results.
        check(unsafe {
            sys::sd_journal_get_monotonic_usec(self.as_ptr(), &raw mut time, &raw mut boot)
        })?;
        Ok((Duration::from_micros(time), Id128::from_sys(boot)))
    }

    /// Returns the sequence number of the current entry, and the ID of the sequence. See
    /// sd_journal_get_seqnum(3); since libsystemd 254.
    ///
    /// ```no_run
    /// use libsystemd_safe::journal::{OpenFlags, Reader};
    ///
    /// let mut reader = Reader::open(OpenFlags::LOCAL_ONLY)?;
    /// while reader.next()? {
    ///     let (number, sequence) = reader.seqnum()?;
    ///     println!("{number} of {sequence}");
    /// }
    /// # Ok::<(), std::io::Error>(())
    /// ```
    ///
    /// # Errors
    ///
    /// `EADDRNOTAVAIL` if there is no current entry. `Unsupported` if libsystemd is older.
    #[doc(alias = "sd_journal_get_seqnum")]
    pub fn seqnum(&self) -> io::Result<(u64, Id128)> {
        let (mut number, mut sequence) = (0, Id128::default().to_sys());
        // SAFETY: the journal is open. `number` and `sequence` have room for the results.
        unsafe { newer::sd_journal_get_seqnum(self.as_ptr(), &raw mut number, &raw mut sequence) }?;
        Ok((number, Id128::from_sys(sequence)))
    }
}

/// Returns an error for a number of entries that libsystemd can't count: 247 does not check it.
fn checked_skip(entries: u32) -> io::Result<u64> {
    match c_int::try_from(entries) {
        Ok(_) => Ok(entries.into()),
        Err(_) => invalid(format!("can't skip {entries} entries: at most {}", c_int::MAX)),
    }
}
