//! Entries of fields: sd_journal_send(3).

use super::Priority;
use crate::systemd::{check, invalid};
use libsystemd_sys::journal as sys;
use std::{
    ffi::c_int,
    io::{self, IoSlice},
    panic::Location,
    thread,
};

/// The longest name of a field, in bytes.
const NAME_MAX: usize = 64;

/// Fields that an entry can have: libsystemd sends two vectors for each and three more, and sendmsg(2) takes 1,024.
const FIELDS_MAX: usize = 510;

/// Fields for which any stack has room. libsystemd takes 88 bytes of stack for each, without a look at where it ends:
/// so many do not reach over the guard page, of 4 KiB at least.
const FIELDS_ON_STACK: usize = 32;

/// The stack for an entry with more fields, in bytes.
const STACK_SIZE: usize = 256 * 1024;

/// An entry for the journal: fields with a name and any bytes for a value. systemd.journal-fields(7) lists the names
/// that mean something to it.
///
/// ```
/// use foo::systemd::journal::{Entry, Priority};
///
/// Entry::new(Priority::Warning, "The disk is nearly full")
///     .located()
///     .field("EXAMPLE_BYTES_LEFT", 4096.to_string())?
///     .field("EXAMPLE_RAW", [0, b'\n', 0xff])?
///     .send()?;
/// # Ok::<(), std::io::Error>(())
/// ```
#[derive(Clone, Debug, PartialEq, Eq)]
#[must_use = "an entry is submitted by send"]
pub struct Entry {
    /// Each as `NAME=value`.
    fields: Vec<Vec<u8>>,
}

impl Entry {
    /// One with a `MESSAGE=` and its `PRIORITY=`.
    pub fn new(priority: Priority, message: impl AsRef<[u8]>) -> Self {
        let mut entry = Self { fields: Vec::new() };
        entry.push("MESSAGE", message.as_ref());
        entry.push("PRIORITY", (priority as u8).to_string().as_bytes());
        entry
    }

    /// With a field more. Several can have the same name, but there is one `MESSAGE=` and one `PRIORITY=`.
    ///
    /// # Errors
    ///
    /// `InvalidInput` for `MESSAGE` and `PRIORITY`, which [`Entry::new`] has set, and for a name that the journal does not take: it is of 1 to 64 characters, which are `A` to `Z`, `0`
    /// to `9` and `_`, and begins with none of the digits, nor with `_`, which the journal's own fields do.
    pub fn field(mut self, name: &str, value: impl AsRef<[u8]>) -> io::Result<Self> {
        check_name(name.as_bytes())?;
        if ["MESSAGE", "PRIORITY"].contains(&name) {
            return invalid(format!("{name}= is set already, by Entry::new"));
        }
        self.push(name, value.as_ref());
        Ok(self)
    }

    /// With the place in the program that calls this, as `CODE_FILE=` and `CODE_LINE=`.
    #[track_caller]
    pub fn located(mut self) -> Self {
        let location = Location::caller();
        self.push("CODE_FILE", location.file().as_bytes());
        self.push("CODE_LINE", location.line().to_string().as_bytes());
        self
    }

    /// With what an error of the system was, as `ERRNO=`; without, where it was none of its.
    pub fn errno(mut self, error: &io::Error) -> Self {
        if let Some(errno) = error.raw_os_error() {
            self.push("ERRNO", errno.to_string().as_bytes());
        }
        self
    }

    /// Submits it, as [`sendv`] does.
    ///
    /// # Errors
    ///
    /// As there.
    pub fn send(&self) -> io::Result<()> {
        sendv(
            &self
                .fields
                .iter()
                .map(|field| IoSlice::new(field))
                .collect::<Vec<_>>(),
        )
    }

    fn push(&mut self, name: &str, value: &[u8]) {
        self.fields.push([name.as_bytes(), b"=", value].concat());
    }
}

/// Submits an entry to the journal, each field of which is `NAME=value` with any bytes in the value: for what is too
/// large to be copied into an [`Entry`].
///
/// libsystemd adds `SYSLOG_IDENTIFIER=`, the program's name, where it is not among the fields. Where no
/// journal is there at all, the entry is dropped without an error. sd_journal_sendv(3).
///
/// ```
/// use foo::systemd::journal::sendv;
/// use std::io::IoSlice;
///
/// sendv(&[IoSlice::new(b"MESSAGE=Hello"), IoSlice::new(b"PRIORITY=6")])?;
/// # Ok::<(), std::io::Error>(())
/// ```
///
/// # Errors
///
/// `InvalidInput` for a field without `=` or with a name that the journal does not take, see [`Entry::field`], and for no
/// field at all or more than 510; `EINVAL`, `E2BIG`, `EMSGSIZE` or `ENOBUFS` for an entry over its limits, such as one
/// with hundreds of fields that hold a newline; `EAGAIN` if an entry of more than 32 fields needs a thread, for its
/// larger stack, and none can be started; otherwise as sendmsg(2) and memfd_create(2).
///
/// # Blocking
///
/// It blocks while the journal's queue is full. A signal handler that runs meanwhile makes it fail with `EINTR`; then
/// nothing was sent.
#[doc(alias = "sd_journal_sendv")]
#[doc(alias = "sd_journal_send")]
pub fn sendv(fields: &[IoSlice<'_>]) -> io::Result<()> {
    for field in fields {
        // What is longer is no name: a value is not looked through.
        let start = &field[..field.len().min(NAME_MAX + 1)];
        check_name(&start[..start.iter().position(|&byte| byte == b'=').unwrap_or(0)])?;
    }
    if !(1..=FIELDS_MAX).contains(&fields.len()) {
        return invalid(format!(
            "an entry has 1 to {FIELDS_MAX} fields, not {}",
            fields.len()
        ));
    }
    let submit = || {
        // SAFETY: IoSlice has the layout of iovec, as std promises; the fields outlive the call, which only reads them.
        // The stack has room for what the call needs.
        check(unsafe { sys::sd_journal_sendv(fields.as_ptr().cast(), fields.len() as c_int) })
            .map(drop)
    };
    if fields.len() <= FIELDS_ON_STACK {
        return submit();
    }
    thread::scope(|scope| {
        let thread = thread::Builder::new()
            .stack_size(STACK_SIZE)
            .spawn_scoped(scope, submit)?;
        // It doesn't panic.
        thread
            .join()
            .unwrap_or_else(|_| Err(io::ErrorKind::Other.into()))
    })
}

/// Whether the journal takes a name. It says nothing where it does not: it drops the field.
fn check_name(name: &[u8]) -> io::Result<()> {
    let valid = |byte: &u8| byte.is_ascii_uppercase() || byte.is_ascii_digit() || *byte == b'_';
    let begins = name.first().is_some_and(u8::is_ascii_uppercase);
    if begins && name.len() <= NAME_MAX && name.iter().all(valid) {
        return Ok(());
    }
    invalid(format!(
        "{:?} can't name a field of the journal: 1 to {NAME_MAX} characters of A to Z, 0 to 9 and _, the first a letter",
        String::from_utf8_lossy(name)
    ))
}
