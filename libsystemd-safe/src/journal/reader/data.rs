//! What an entry has: sd_journal_get_data(3), and what the whole journal has:
//! sd_journal_query_unique(3), sd_journal_enumerate_fields(3).

use super::{Reader, owned_text};
use crate::{check, id128::Id128};
use libsystemd_sys::journal as sys;
use std::{
    ffi::{CStr, c_int, c_void},
    io, ptr, slice,
};

impl Reader {
    /// Returns the value of a field of the current entry, or `None` if the entry does not have the
    /// field. See sd_journal_get_data(3).
    ///
    /// If the entry has several values of the field, this returns the first that
    /// [`enumerate_data`](Self::enumerate_data) returns.
    ///
    /// # Errors
    ///
    /// - `EADDRNOTAVAIL`: there is no current entry.
    /// - `EINVAL`: the name of the field has a character that is not `A` to `Z`, `0` to `9` or `_`,
    ///   begins with two `_`, or is empty.
    /// - `EPROTONOSUPPORT`, `ENOBUFS` or `E2BIG`: this libsystemd can't decompress the value.
    /// - `EBADMSG`: the file is corrupted.
    #[doc(alias = "sd_journal_get_data")]
    pub fn data(&mut self, field: &CStr) -> io::Result<Option<&[u8]>> {
        let (mut data, mut size) = (ptr::null(), 0);
        // SAFETY: the journal is open. The field is a C string, which the call only reads. `data`
        // and `size` have room for the results.
        let got = check(unsafe {
            sys::sd_journal_get_data(self.as_ptr(), field.as_ptr(), &raw mut data, &raw mut size)
        });
        if let Some(error) = got.err() {
            return if is_missing(&error) { Ok(None) } else { Err(error) };
        }
        // SAFETY: the call succeeded, and what it returned stays until the next call. The result
        // borrows the reader, so there is none.
        let data = unsafe { bytes(data, size) };
        // It begins with the name and `=`.
        data.get(field.count_bytes() + 1..).map(Some).ok_or_else(corrupted)
    }

    /// Begins to return all fields of the current entry, each with its name and value. See
    /// sd_journal_enumerate_available_data(3).
    ///
    /// ```
    /// use libsystemd_safe::journal::{OpenFlags, Reader};
    ///
    /// let mut reader = Reader::open(OpenFlags::LOCAL_ONLY)?;
    /// if reader.next()? {
    ///     let mut data = reader.enumerate_data();
    ///     while let Some((name, value)) = data.next()? {
    ///         println!("{}={}", name.escape_ascii(), value.escape_ascii());
    ///     }
    /// }
    /// # Ok::<(), std::io::Error>(())
    /// ```
    ///
    /// # Order
    ///
    /// The order of the fields is that of the file, not the one in which they were sent. A file has
    /// each pair of field and value once, and journald sorts those of an entry by their place in
    /// the file. So if an entry has several values of a field:
    ///
    /// - equal values come back once;
    /// - the others come back in the order in which the file first got each of them, maybe with an
    ///   earlier entry.
    ///
    /// A program that needs the order, or equal values, sends them as one value.
    ///
    /// Fields that this libsystemd can't decompress are left out. [`data`](Self::data) returns an
    /// error for them.
    #[doc(alias = "sd_journal_enumerate_available_data")]
    #[doc(alias = "sd_journal_restart_data")]
    pub fn enumerate_data(&mut self) -> Data<'_> {
        // SAFETY: the journal is open.
        unsafe { sys::sd_journal_restart_data(self.as_ptr()) };
        Data { reader: self }
    }

    /// Begins to return each value that a field has in any entry once. Matches do not count. See
    /// sd_journal_query_unique(3).
    ///
    /// ```
    /// use libsystemd_safe::journal::{OpenFlags, Reader};
    ///
    /// let mut reader = Reader::open(OpenFlags::LOCAL_ONLY)?;
    /// let mut boots = reader.query_unique(c"_BOOT_ID")?;
    /// while let Some(boot) = boots.next()? {
    ///     println!("{}", boot.escape_ascii());
    /// }
    /// # Ok::<(), std::io::Error>(())
    /// ```
    ///
    /// The order is not defined. libsystemd 247 may return a value once for each file.
    ///
    /// # Errors
    ///
    /// `EINVAL` for a name that [`data`](Self::data) does not accept.
    #[doc(alias = "sd_journal_query_unique")]
    #[doc(alias = "sd_journal_restart_unique")]
    pub fn query_unique(&mut self, field: &CStr) -> io::Result<Unique<'_>> {
        // SAFETY: the journal is open. The field is a C string, which the call copies.
        check(unsafe { sys::sd_journal_query_unique(self.as_ptr(), field.as_ptr()) })?;
        Ok(Unique { reader: self, prefix: field.count_bytes() + 1 })
    }

    /// Begins to return the names of all fields that any entry has. Matches do not count. See
    /// sd_journal_enumerate_fields(3).
    ///
    /// The order is not defined. libsystemd 247 may return a name once for each file.
    ///
    /// ```
    /// use libsystemd_safe::journal::{OpenFlags, Reader};
    ///
    /// let mut reader = Reader::open(OpenFlags::LOCAL_ONLY)?;
    /// let mut names = reader.enumerate_fields();
    /// while let Some(name) = names.next()? {
    ///     println!("{}", name.to_string_lossy());
    /// }
    /// # Ok::<(), std::io::Error>(())
    /// ```
    #[doc(alias = "sd_journal_enumerate_fields")]
    #[doc(alias = "sd_journal_restart_fields")]
    pub fn enumerate_fields(&mut self) -> FieldNames<'_> {
        // SAFETY: the journal is open.
        unsafe { sys::sd_journal_restart_fields(self.as_ptr()) };
        FieldNames { reader: self }
    }

    /// Returns the explanation that the message catalog has for the `MESSAGE_ID=` of the current
    /// entry, or `None` if it has none. See sd_journal_get_catalog(3).
    ///
    /// libsystemd has replaced names between `@` with the values of these fields, which may have
    /// any bytes. If the entry does not have a field, its name stays without the `@`.
    ///
    /// ```no_run
    /// use libsystemd_safe::journal::{OpenFlags, Reader};
    ///
    /// let mut reader = Reader::open(OpenFlags::LOCAL_ONLY)?;
    /// while reader.next()? {
    ///     if let Some(text) = reader.catalog()? {
    ///         println!("{}", String::from_utf8_lossy(&text));
    ///     }
    /// }
    /// # Ok::<(), std::io::Error>(())
    /// ```
    ///
    /// # Errors
    ///
    /// `EADDRNOTAVAIL` if there is no current entry. `EINVAL` if `MESSAGE_ID=` is not an ID.
    #[doc(alias = "sd_journal_get_catalog")]
    pub fn catalog(&self) -> io::Result<Option<Vec<u8>>> {
        let mut text = ptr::null_mut();
        // SAFETY: the journal is open. `text` has room for the result.
        let result = unsafe { sys::sd_journal_get_catalog(self.as_ptr(), &raw mut text) };
        // SAFETY: if the call succeeded, `text` is an allocated C string that is the caller's.
        found(result, || unsafe { owned_text(text) })
    }
}

/// Returns the explanation that the message catalog has for an ID, or `None` if it has none. Names
/// between `@` stay as they are. See sd_journal_get_catalog_for_message_id(3).
///
/// Any thread may call it.
///
/// ```
/// use libsystemd_safe::journal::catalog_for_message_id;
///
/// let coredump = "fc2e22bc6ee647b6b90729ab34a250b1".parse()?;
/// if let Some(text) = catalog_for_message_id(coredump)? {
///     println!("{}", String::from_utf8_lossy(&text));
/// }
/// # Ok::<(), std::io::Error>(())
/// ```
///
/// # Errors
///
/// The errors of open(2), and `EBADMSG` if the catalog is corrupted.
#[doc(alias = "sd_journal_get_catalog_for_message_id")]
pub fn catalog_for_message_id(message: Id128) -> io::Result<Option<Vec<u8>>> {
    let mut text = ptr::null_mut();
    // SAFETY: `text` has room for the result.
    let result =
        unsafe { sys::sd_journal_get_catalog_for_message_id(message.to_sys(), &raw mut text) };
    // SAFETY: if the call succeeded, `text` is an allocated C string that is the caller's.
    found(result, || unsafe { owned_text(text) })
}

/// The fields of an entry, see [`Reader::enumerate_data`].
#[derive(Debug)]
#[must_use = "next() returns the fields"]
pub struct Data<'a> {
    reader: &'a mut Reader,
}

impl Data<'_> {
    /// Returns the name and the value of the next field, or `None` if there are no more.
    ///
    /// Both are borrowed until the next call.
    ///
    /// # Errors
    ///
    /// `EADDRNOTAVAIL` if there is no current entry. `EBADMSG` if the file is corrupted.
    #[expect(clippy::should_implement_trait, reason = "an Iterator can't return what it owns")]
    pub fn next(&mut self) -> io::Result<Option<(&[u8], &[u8])>> {
        let data = enumerated(self.reader, sys::sd_journal_enumerate_available_data)?;
        let Some(data) = data else { return Ok(None) };
        match data.iter().position(|&byte| byte == b'=') {
            Some(equals) => Ok(Some((&data[..equals], &data[equals + 1..]))),
            None => Err(corrupted()),
        }
    }
}

/// The values of a field, see [`Reader::query_unique`].
#[derive(Debug)]
#[must_use = "next() returns the values"]
pub struct Unique<'a> {
    reader: &'a mut Reader,
    /// Length of the name and `=`, with which the data of libsystemd begin.
    prefix: usize,
}

impl Unique<'_> {
    /// Returns the next value, or `None` if there are no more. It is borrowed until the next call.
    ///
    /// # Errors
    ///
    /// `EBADMSG` if a file is corrupted.
    #[expect(clippy::should_implement_trait, reason = "an Iterator can't return what it owns")]
    pub fn next(&mut self) -> io::Result<Option<&[u8]>> {
        match enumerated(self.reader, sys::sd_journal_enumerate_available_unique)? {
            Some(data) => data.get(self.prefix..).map(Some).ok_or_else(corrupted),
            None => Ok(None),
        }
    }
}

/// The names of fields, see [`Reader::enumerate_fields`].
#[derive(Debug)]
#[must_use = "next() returns the names"]
pub struct FieldNames<'a> {
    reader: &'a mut Reader,
}

impl FieldNames<'_> {
    /// Returns the next name, or `None` if there are no more. It is borrowed until the next call.
    ///
    /// # Errors
    ///
    /// `EBADMSG` if a file is corrupted.
    #[expect(clippy::should_implement_trait, reason = "an Iterator can't return what it owns")]
    pub fn next(&mut self) -> io::Result<Option<&CStr>> {
        let mut name = ptr::null();
        // SAFETY: the journal is open. `name` has room for the result.
        let any = check(unsafe {
            sys::sd_journal_enumerate_fields(self.reader.as_ptr(), &raw mut name)
        })?;
        // SAFETY: if there is a name, it is a C string that stays until the next call. The result
        // borrows the reader, so there is none.
        Ok((any > 0).then(|| unsafe { CStr::from_ptr(name) }))
    }
}

/// Calls one of the functions that return the next data.
fn enumerated(
    reader: &mut Reader,
    function: unsafe extern "C" fn(*mut sys::sd_journal, *mut *const c_void, *mut usize) -> c_int,
) -> io::Result<Option<&[u8]>> {
    let (mut data, mut size) = (ptr::null(), 0);
    // SAFETY: the journal is open. `data` and `size` have room for the results.
    let any = check(unsafe { function(reader.as_ptr(), &raw mut data, &raw mut size) })?;
    // SAFETY: if there are data, they stay until the next call. The result borrows the reader, so
    // there is none.
    Ok((any > 0).then(|| unsafe { bytes(data, size) }))
}

/// Returns data of libsystemd as a slice.
///
/// # Safety
///
/// There must be `size` bytes at `data`, which stay as they are while the result is used.
unsafe fn bytes<'a>(data: *const c_void, size: usize) -> &'a [u8] {
    if size == 0 {
        // The pointer may be null.
        return &[];
    }
    // SAFETY: the caller promises it.
    unsafe { slice::from_raw_parts(data.cast(), size) }
}

/// Returns a text that libsystemd found, or `None` if there is none.
fn found(result: c_int, text: impl FnOnce() -> Vec<u8>) -> io::Result<Option<Vec<u8>>> {
    match check(result) {
        Ok(_) => Ok(Some(text())),
        Err(error) if is_missing(&error) => Ok(None),
        Err(error) => Err(error),
    }
}

/// Returns whether libsystemd has found nothing.
fn is_missing(error: &io::Error) -> bool {
    error.raw_os_error() == Some(libc::ENOENT)
}

/// The error of libsystemd for data that can't be right.
fn corrupted() -> io::Error {
    io::Error::from_raw_os_error(libc::EBADMSG)
}
