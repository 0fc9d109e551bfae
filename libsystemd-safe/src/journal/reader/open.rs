//! Opening a journal: sd_journal_open(3).

use super::Reader;
use crate::{check, invalid};
use libsystemd_sys::journal as sys;
use std::{
    ffi::{CStr, CString, c_int},
    io,
    ops::BitOr,
    os::unix::ffi::OsStrExt,
    path::Path,
    ptr::{self, NonNull},
};

/// Longest path of a directory, in bytes. libsystemd copies the path of a root directory to the
/// stack. So long a copy takes less than a page.
const DIRECTORY_MAX: usize = 2048;

/// Which journal files a [`Reader`] opens: `SD_JOURNAL_LOCAL_ONLY` and the others of
/// sd_journal_open(3). The default is none of them, which opens all files.
///
/// ```
/// use libsystemd_safe::journal::{OpenFlags, Reader};
///
/// let reader = Reader::open(OpenFlags::LOCAL_ONLY | OpenFlags::SYSTEM)?;
/// # Ok::<(), std::io::Error>(())
/// ```
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct OpenFlags(c_int);

impl OpenFlags {
    /// Only files that this machine has written.
    pub const LOCAL_ONLY: Self = Self(sys::SD_JOURNAL_LOCAL_ONLY);
    /// Only files in `/run`, which last until the next boot.
    pub const RUNTIME_ONLY: Self = Self(sys::SD_JOURNAL_RUNTIME_ONLY);
    /// Files of system services and of the kernel.
    pub const SYSTEM: Self = Self(sys::SD_JOURNAL_SYSTEM);
    /// Files of the current user.
    pub const CURRENT_USER: Self = Self(sys::SD_JOURNAL_CURRENT_USER);
    /// With [`Reader::open_directory`]: the directory is the root of a system, such as of a
    /// container. Opens the files in `/var/log/journal` and `/run/log/journal` below it.
    pub const OS_ROOT: Self = Self(sys::SD_JOURNAL_OS_ROOT);
    /// With [`Reader::open_namespace`]: the files of all namespaces, whatever the name.
    pub const ALL_NAMESPACES: Self = Self(sys::SD_JOURNAL_ALL_NAMESPACES);
    /// With [`Reader::open_namespace`]: also the files of no namespace.
    pub const INCLUDE_DEFAULT_NAMESPACE: Self = Self(sys::SD_JOURNAL_INCLUDE_DEFAULT_NAMESPACE);
}

impl BitOr for OpenFlags {
    type Output = Self;

    fn bitor(self, other: Self) -> Self {
        Self(self.0 | other.0)
    }
}

impl Reader {
    /// Opens the journal of this machine, in `/var/log/journal` and `/run/log/journal`. See
    /// sd_journal_open(3).
    ///
    /// libsystemd leaves out files that this user can't read, without an error. The group
    /// `systemd-journal` can read all. A machine without a journal is an empty journal.
    ///
    /// # Errors
    ///
    /// `EINVAL` for [`OpenFlags::OS_ROOT`].
    #[doc(alias = "sd_journal_open")]
    pub fn open(flags: OpenFlags) -> io::Result<Self> {
        // SAFETY: `journal` has room for the result.
        Self::opened_by(|journal| unsafe { sys::sd_journal_open(journal, flags.0) })
    }

    /// Opens the journal of a namespace. See sd_journal_open_namespace(3), and `LogNamespace=` in
    /// systemd.exec(5).
    ///
    /// A namespace that does not exist is an empty journal.
    ///
    /// ```
    /// use libsystemd_safe::journal::{OpenFlags, Reader};
    ///
    /// let reader = Reader::open_namespace(c"example", OpenFlags::LOCAL_ONLY)?;
    /// # Ok::<(), std::io::Error>(())
    /// ```
    ///
    /// # Errors
    ///
    /// The errors of [`open`](Self::open).
    #[doc(alias = "sd_journal_open_namespace")]
    pub fn open_namespace(namespace: &CStr, flags: OpenFlags) -> io::Result<Self> {
        // SAFETY: the namespace is a C string, which the call copies. `journal` has room for the
        // result.
        Self::opened_by(|journal| unsafe {
            sys::sd_journal_open_namespace(journal, namespace.as_ptr(), flags.0)
        })
    }

    /// Opens the journal files in a directory and in its subdirectories that are named like a
    /// machine. See sd_journal_open_directory(3).
    ///
    /// The path must be absolute. With [`OpenFlags::OS_ROOT`], it is the root directory of a
    /// system:
    ///
    /// ```
    /// use libsystemd_safe::journal::{OpenFlags, Reader};
    ///
    /// let container = Reader::open_directory("/var/lib/machines/example", OpenFlags::OS_ROOT)?;
    /// # Ok::<(), std::io::Error>(())
    /// ```
    ///
    /// # Errors
    ///
    /// - `InvalidInput`: the path contains a NUL, or has more than 2,048 bytes.
    /// - `EINVAL`: a flag is none of `OS_ROOT`, `SYSTEM` and `CURRENT_USER`.
    /// - Otherwise the errors of open(2). With `OS_ROOT` there are none: a directory without a
    ///   journal is an empty journal.
    #[doc(alias = "sd_journal_open_directory")]
    pub fn open_directory(path: impl AsRef<Path>, flags: OpenFlags) -> io::Result<Self> {
        let path = c_path(path.as_ref())?;
        if path.count_bytes() > DIRECTORY_MAX {
            return invalid(format!("a directory's path must have at most {DIRECTORY_MAX} bytes"));
        }
        // SAFETY: the path is a C string, which the call copies. The stack has room: see
        // DIRECTORY_MAX. `journal` has room for the result.
        Self::opened_by(|journal| unsafe {
            sys::sd_journal_open_directory(journal, path.as_ptr(), flags.0)
        })
    }

    /// Opens these journal files only. See sd_journal_open_files(3).
    ///
    /// journald may rotate a file at any time, so this is for files that it does not write any
    /// more.
    ///
    /// ```no_run
    /// use libsystemd_safe::journal::Reader;
    ///
    /// let reader = Reader::open_files(["/srv/copy/system.journal", "/srv/copy/user-1000.journal"])?;
    /// # Ok::<(), std::io::Error>(())
    /// ```
    ///
    /// # Errors
    ///
    /// - `InvalidInput`: a path contains a NUL.
    /// - `ENODATA` or `EBADMSG`: a file is no journal, or is truncated. libsystemd 262 may open
    ///   such a file, and read what is there.
    /// - `EPROTONOSUPPORT`: a file has a feature that this libsystemd does not know.
    /// - Otherwise the errors of open(2).
    #[doc(alias = "sd_journal_open_files")]
    pub fn open_files(paths: impl IntoIterator<Item: AsRef<Path>>) -> io::Result<Self> {
        let paths: Vec<_> =
            paths.into_iter().map(|path| c_path(path.as_ref())).collect::<io::Result<_>>()?;
        let mut pointers: Vec<_> =
            paths.iter().map(|path| path.as_ptr()).chain([ptr::null()]).collect();
        // SAFETY: a null pointer ends the C strings, which the call copies. `journal` has room for
        // the result.
        Self::opened_by(|journal| unsafe {
            sys::sd_journal_open_files(journal, pointers.as_mut_ptr(), 0)
        })
    }

    /// Returns a reader of the journal that a function of libsystemd opens.
    fn opened_by(open: impl FnOnce(*mut *mut sys::sd_journal) -> c_int) -> io::Result<Self> {
        let mut journal = ptr::null_mut();
        check(open(&raw mut journal))?;
        let Some(journal) = NonNull::new(journal) else {
            return Err(io::ErrorKind::Other.into());
        };
        let reader = Self { journal };
        // No limit. So would be 0, but libsystemd 247 truncates the names of fields to it.
        // SAFETY: the journal is open, and this is the thread that opened it.
        check(unsafe { sys::sd_journal_set_data_threshold(reader.as_ptr(), usize::MAX) })?;
        Ok(reader)
    }
}

/// Converts a path for libsystemd.
fn c_path(path: &Path) -> io::Result<CString> {
    Ok(CString::new(path.as_os_str().as_bytes())?)
}
