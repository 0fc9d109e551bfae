//! Structured journal entries: sd_journal_send(3).

use super::Priority;
use crate::{check, invalid};
use libsystemd_sys::journal as sys;
use std::{
    ffi::c_int,
    fmt,
    io::{self, IoSlice},
    panic::Location,
    thread,
};

/// Longest name of a field that the journal accepts, in bytes.
pub(super) const NAME_MAX: usize = 64;

/// Largest number of fields in an entry. libsystemd passes two vectors for each field and three
/// more to sendmsg(2), which accepts 1,024.
const FIELDS_MAX: usize = 510;

/// Largest number of fields for which every thread has enough stack. libsystemd takes 88 bytes of
/// stack for each field and does not check where the stack ends. 32 fields take less than a page,
/// so they can't skip the guard page, which has at least 4 KiB.
const FIELDS_ON_STACK: usize = 32;

/// Stack of the thread that sends an entry with more fields, in bytes: several times what
/// [`FIELDS_MAX`] fields take.
const STACK_SIZE: usize = 256 * 1024;

/// A journal entry: fields, each with a name and a value of any bytes. systemd.journal-fields(7)
/// lists the names that have a meaning for the journal.
///
/// ```
/// use libsystemd_safe::journal::{Entry, Priority};
///
/// Entry::new(Priority::Warning, "The disk is nearly full")
///     .located()
///     .field("EXAMPLE_BYTES_LEFT", 4096.to_string())?
///     .field("EXAMPLE_RAW", [0, b'\n', 0xff])?
///     .send()?;
/// # Ok::<(), std::io::Error>(())
/// ```
#[derive(Clone, PartialEq, Eq)]
#[must_use = "call send() to write the entry to the journal"]
pub struct Entry {
    /// Fields in the form `NAME=value`.
    fields: Vec<Vec<u8>>,
}

impl Entry {
    /// Returns an entry with `MESSAGE=` and `PRIORITY=`. The message may contain any bytes,
    /// including newlines.
    pub fn new(priority: Priority, message: impl AsRef<[u8]>) -> Self {
        let mut entry = Self { fields: Vec::new() };
        entry.push("MESSAGE", message.as_ref());
        entry.push("PRIORITY", (priority as u8).to_string().as_bytes());
        entry
    }

    /// Adds a field. An entry can have several fields of the same name. The journal does not keep
    /// their order, and keeps equal values once.
    ///
    /// # Errors
    ///
    /// `InvalidInput` if the journal does not accept the name: 1 to 64 characters of `A` to `Z`,
    /// `0` to `9` and `_`, the first of them a letter. Also for `MESSAGE` and `PRIORITY`, which
    /// [`Entry::new`] has set.
    pub fn field(mut self, name: &str, value: impl AsRef<[u8]>) -> io::Result<Self> {
        check_name(name.as_bytes())?;
        if ["MESSAGE", "PRIORITY"].contains(&name) {
            return invalid(format!("{name}= is set already, by Entry::new"));
        }
        self.push(name, value.as_ref());
        Ok(self)
    }

    /// Adds the file and the line of the caller, as `CODE_FILE=` and `CODE_LINE=`.
    #[track_caller]
    pub fn located(mut self) -> Self {
        let location = Location::caller();
        self.push("CODE_FILE", location.file().as_bytes());
        self.push("CODE_LINE", location.line().to_string().as_bytes());
        self
    }

    /// Adds the errno of an error as `ERRNO=`. Adds nothing if the error has none.
    pub fn errno(mut self, error: &io::Error) -> Self {
        if let Some(errno) = error.raw_os_error() {
            self.push("ERRNO", errno.to_string().as_bytes());
        }
        self
    }

    /// Writes the entry to the journal, as [`sendv`] does. It can be sent again.
    ///
    /// # Errors
    ///
    /// The errors of [`sendv`].
    pub fn send(&self) -> io::Result<()> {
        sendv(&self.fields.iter().map(|field| IoSlice::new(field)).collect::<Vec<_>>())
    }

    pub(super) fn push(&mut self, name: &str, value: &[u8]) {
        self.fields.push([name.as_bytes(), b"=", value].concat());
    }
}

/// Shows the fields as text, with U+FFFD for bytes that are not UTF-8.
impl fmt::Debug for Entry {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Entry ")?;
        f.debug_list()
            .entries(self.fields.iter().map(|field| String::from_utf8_lossy(field)))
            .finish()
    }
}

/// Writes an entry to the journal. Each field has the form `NAME=value`; the value is any bytes.
/// See sd_journal_sendv(3).
///
/// The fields are not copied, so this suits large values. For others, [`Entry`] is simpler.
///
/// libsystemd adds `SYSLOG_IDENTIFIER=` with the program's name, unless the fields have it. If
/// there is no journal, the entry is dropped without an error.
///
/// ```
/// use libsystemd_safe::journal::sendv;
/// use std::io::IoSlice;
///
/// sendv(&[IoSlice::new(b"MESSAGE=Hello"), IoSlice::new(b"PRIORITY=6")])?;
/// # Ok::<(), std::io::Error>(())
/// ```
///
/// # Errors
///
/// - `InvalidInput`: there is no field, there are more than 510, or one has no `=` or a name that
///   the journal does not accept, see [`Entry::field`].
/// - `EINVAL`, `E2BIG`, `EMSGSIZE` or `ENOBUFS`: the entry is too large. For example, it has
///   hundreds of fields that contain newlines.
/// - `EAGAIN`: the entry has more than 32 fields, which takes a thread with a larger stack, and no
///   thread can be started.
/// - Otherwise the errors of sendmsg(2) and memfd_create(2).
///
/// # Blocking
///
/// This blocks while the journal's queue is full. A signal whose handler was installed without
/// `SA_RESTART` interrupts it with `EINTR`; nothing has been sent then. An entry of more than 32
/// fields is sent from another thread, so a signal to this thread does not interrupt it.
#[doc(alias = "sd_journal_sendv")]
#[doc(alias = "sd_journal_send")]
pub fn sendv(fields: &[IoSlice<'_>]) -> io::Result<()> {
    for field in fields {
        // A longer name is invalid anyway, so a large value is not searched.
        let start = &field[..field.len().min(NAME_MAX + 1)];
        check_name(&start[..start.iter().position(|&byte| byte == b'=').unwrap_or(0)])?;
    }
    if !(1..=FIELDS_MAX).contains(&fields.len()) {
        return invalid(format!("an entry has 1 to {FIELDS_MAX} fields, not {}", fields.len()));
    }
    let submit = || {
        // SAFETY: std guarantees that IoSlice has the layout of iovec. The fields outlive the call,
        // which only reads them. The stack has room: see FIELDS_ON_STACK and STACK_SIZE.
        check(unsafe { sys::sd_journal_sendv(fields.as_ptr().cast(), fields.len() as c_int) })
            .map(drop)
    };
    if fields.len() <= FIELDS_ON_STACK {
        return submit();
    }
    thread::scope(|scope| {
        let thread = thread::Builder::new().stack_size(STACK_SIZE).spawn_scoped(scope, submit)?;
        // `submit` does not panic, so there always is a result.
        thread.join().unwrap_or_else(|_| Err(io::ErrorKind::Other.into()))
    })
}

/// Returns an error if the journal does not accept a field's name. The journal itself drops such a
/// field without an error.
fn check_name(name: &[u8]) -> io::Result<()> {
    let valid = |byte: &u8| byte.is_ascii_uppercase() || byte.is_ascii_digit() || *byte == b'_';
    let starts_with_letter = name.first().is_some_and(u8::is_ascii_uppercase);
    if starts_with_letter && name.len() <= NAME_MAX && name.iter().all(valid) {
        return Ok(());
    }
    invalid(format!(
        "{:?} can't name a field of the journal: it must be 1 to {NAME_MAX} characters \
         of A to Z, 0 to 9 and _, the first a letter",
        String::from_utf8_lossy(name)
    ))
}
