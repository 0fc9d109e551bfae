//! Which entries a reader shows: sd_journal_add_match(3).

use super::Reader;
use crate::check;
use libsystemd_sys::journal as sys;
use std::io;

impl Reader {
    /// Shows only entries that have this field with this value. See sd_journal_add_match(3).
    ///
    /// Of several matches of one field, one must hold; of different fields, all must hold:
    ///
    /// ```
    /// use libsystemd_safe::journal::{OpenFlags, Reader};
    ///
    /// let mut reader = Reader::open(OpenFlags::LOCAL_ONLY)?;
    /// // Errors and warnings of foo, or anything of the kernel.
    /// reader.add_match("_SYSTEMD_UNIT", "foo.service")?;
    /// reader.add_match("PRIORITY", "3")?;
    /// reader.add_match("PRIORITY", "4")?;
    /// reader.add_disjunction()?;
    /// reader.add_match("_TRANSPORT", "kernel")?;
    /// # Ok::<(), std::io::Error>(())
    /// ```
    ///
    /// There is no current entry afterwards; [`next`](Self::next) goes on from the same place.
    ///
    /// # Errors
    ///
    /// `EINVAL` if the name of the field has a character that is not `A` to `Z`, `0` to `9` or `_`,
    /// begins with two `_`, or is empty.
    #[doc(alias = "sd_journal_add_match")]
    pub fn add_match(&mut self, field: &str, value: impl AsRef<[u8]>) -> io::Result<()> {
        let data = [field.as_bytes(), b"=", value.as_ref()].concat();
        // SAFETY: the journal is open. The call copies `data`, which has this size, more than 0.
        check(unsafe { sys::sd_journal_add_match(self.as_ptr(), data.as_ptr().cast(), data.len()) })
            .map(drop)
    }

    /// Begins an alternative to the matches since the last conjunction: a logical OR. See
    /// sd_journal_add_disjunction(3). [`add_match`](Self::add_match) has an example.
    ///
    /// # Errors
    ///
    /// `ECHILD` after fork(2).
    #[doc(alias = "sd_journal_add_disjunction")]
    pub fn add_disjunction(&mut self) -> io::Result<()> {
        // SAFETY: the journal is open.
        check(unsafe { sys::sd_journal_add_disjunction(self.as_ptr()) }).map(drop)
    }

    /// Begins another condition beside all matches and alternatives so far: a logical AND. See
    /// sd_journal_add_conjunction(3).
    ///
    /// ```
    /// use libsystemd_safe::journal::{OpenFlags, Reader};
    ///
    /// let mut reader = Reader::open(OpenFlags::LOCAL_ONLY)?;
    /// // An error or a warning
    /// reader.add_match("PRIORITY", "3")?;
    /// reader.add_match("PRIORITY", "4")?;
    /// // and of this unit, or about it.
    /// reader.add_conjunction()?;
    /// reader.add_match("_SYSTEMD_UNIT", "a.service")?;
    /// reader.add_disjunction()?;
    /// reader.add_match("UNIT", "a.service")?;
    /// # Ok::<(), std::io::Error>(())
    /// ```
    ///
    /// # Errors
    ///
    /// `ECHILD` after fork(2).
    #[doc(alias = "sd_journal_add_conjunction")]
    pub fn add_conjunction(&mut self) -> io::Result<()> {
        // SAFETY: the journal is open.
        check(unsafe { sys::sd_journal_add_conjunction(self.as_ptr()) }).map(drop)
    }

    /// Removes all matches, disjunctions and conjunctions. See sd_journal_flush_matches(3).
    ///
    /// There is no current entry afterwards; [`next`](Self::next) goes on from the same place.
    ///
    /// ```
    /// use libsystemd_safe::journal::{OpenFlags, Reader};
    ///
    /// let mut reader = Reader::open(OpenFlags::LOCAL_ONLY)?;
    /// reader.add_match("PRIORITY", "3")?;
    /// reader.flush_matches();
    /// // All entries again.
    /// reader.next()?;
    /// # Ok::<(), std::io::Error>(())
    /// ```
    #[doc(alias = "sd_journal_flush_matches")]
    pub fn flush_matches(&mut self) {
        // SAFETY: the journal is open.
        unsafe { sys::sd_journal_flush_matches(self.as_ptr()) };
    }
}
