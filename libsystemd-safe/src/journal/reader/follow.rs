//! Waiting for new entries: sd_journal_get_fd(3).

use super::Reader;
use crate::{check, microseconds, monotonic};
use libsystemd_sys::journal as sys;
use std::{
    ffi::{c_int, c_short},
    io,
    os::fd::BorrowedFd,
    time::Duration,
};

/// How the journal has changed. See sd_journal_wait(3).
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum Wakeup {
    /// `SD_JOURNAL_NOP`: not at all.
    Nop,
    /// `SD_JOURNAL_APPEND`: entries were written at the end.
    Append,
    /// `SD_JOURNAL_INVALIDATE`: files were added or removed, such as by a rotation. Entries may
    /// have appeared or disappeared anywhere. A program that reads on with [`Reader::next`] gets
    /// those that are after its place.
    Invalidate,
}

impl Reader {
    /// Waits until the journal changes, or the timeout has passed. `None` waits without end. See
    /// sd_journal_wait(3).
    ///
    /// The first call begins to watch the files, unless [`fd`](Self::fd) has done so. Then it
    /// returns at once, since the journal may have changed before. So read to the end after each
    /// call:
    ///
    /// ```no_run
    /// use libsystemd_safe::journal::{OpenFlags, Reader};
    ///
    /// let mut reader = Reader::open(OpenFlags::LOCAL_ONLY)?;
    /// loop {
    ///     while reader.next()? {
    ///         println!("{:?}", reader.data(c"MESSAGE")?.map(String::from_utf8_lossy));
    ///     }
    ///     reader.wait(None)?;
    /// }
    /// # Ok::<(), std::io::Error>(())
    /// ```
    ///
    /// A signal does not interrupt it.
    ///
    /// # Errors
    ///
    /// The errors of [`fd`](Self::fd).
    #[doc(alias = "sd_journal_wait")]
    pub fn wait(&mut self, timeout: Option<Duration>) -> io::Result<Wakeup> {
        // The largest number stands for no timeout.
        let timeout = timeout.map_or(u64::MAX, microseconds);
        // SAFETY: the journal is open.
        check(unsafe { sys::sd_journal_wait(self.as_ptr(), timeout) }).map(wakeup)
    }

    /// Returns a descriptor to wait on with poll(2), until the journal changes. The reader owns it.
    /// See sd_journal_get_fd(3).
    ///
    /// The first call begins to watch the files, so make it before you read to the end. Wait for
    /// [`events`](Self::events), no longer than [`timeout`](Self::timeout). Call
    /// [`process`](Self::process) then, and read on.
    ///
    /// The example `read_journal` does so with poll(2). With tokio:
    ///
    /// ```
    /// use libsystemd_safe::journal::{OpenFlags, Reader};
    /// use std::{io, time::Duration};
    /// use tokio::{io::unix::AsyncFd, time};
    ///
    /// async fn follow(mut reader: Reader) -> io::Result<()> {
    ///     let fd = AsyncFd::new(reader.fd()?.try_clone_to_owned()?)?;
    ///     loop {
    ///         while reader.next()? {
    ///             println!("{:?}", reader.data(c"MESSAGE")?.map(String::from_utf8_lossy));
    ///         }
    ///         let timeout = reader.timeout()?.unwrap_or(Duration::MAX);
    ///         if let Ok(ready) = time::timeout(timeout, fd.readable()).await {
    ///             ready?.clear_ready();
    ///         }
    ///         reader.process()?;
    ///     }
    /// }
    /// # let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build()?;
    /// # let reader = Reader::open(OpenFlags::LOCAL_ONLY)?;
    /// # let moment = Duration::from_millis(1);
    /// # assert!(runtime.block_on(async { time::timeout(moment, follow(reader)).await }).is_err());
    /// # Ok::<(), io::Error>(())
    /// ```
    ///
    /// # Errors
    ///
    /// The errors of inotify_init1(2): a user has a limited number of them.
    #[doc(alias = "sd_journal_get_fd")]
    pub fn fd(&self) -> io::Result<BorrowedFd<'_>> {
        // SAFETY: the journal is open.
        let fd = check(unsafe { sys::sd_journal_get_fd(self.as_ptr()) })?;
        // SAFETY: the descriptor is open as long as the journal.
        Ok(unsafe { BorrowedFd::borrow_raw(fd) })
    }

    /// Returns the events to wait for, as poll(2) takes them. See sd_journal_get_events(3).
    ///
    /// # Errors
    ///
    /// The errors of [`fd`](Self::fd).
    #[doc(alias = "sd_journal_get_events")]
    pub fn events(&self) -> io::Result<c_short> {
        // SAFETY: the journal is open.
        let events = check(unsafe { sys::sd_journal_get_events(self.as_ptr()) })?;
        Ok(c_short::try_from(events).unwrap_or(libc::POLLIN))
    }

    /// Returns how long to wait at most, from now on: files on a network are not watched, but
    /// checked every two seconds. `None` is without end. See sd_journal_get_timeout(3).
    ///
    /// # Errors
    ///
    /// The errors of [`fd`](Self::fd).
    #[doc(alias = "sd_journal_get_timeout")]
    pub fn timeout(&self) -> io::Result<Option<Duration>> {
        let mut end = 0;
        // SAFETY: the journal is open. `end` has room for the result.
        check(unsafe { sys::sd_journal_get_timeout(self.as_ptr(), &raw mut end) })?;
        if end == u64::MAX {
            return Ok(None);
        }
        Ok(Some(Duration::from_micros(end).saturating_sub(monotonic()?)))
    }

    /// Handles what the descriptor reports, and returns how the journal has changed. Does not
    /// block. Does nothing before the first [`fd`](Self::fd) or [`wait`](Self::wait). See
    /// sd_journal_process(3).
    ///
    /// # Errors
    ///
    /// The errors of read(2).
    #[doc(alias = "sd_journal_process")]
    pub fn process(&mut self) -> io::Result<Wakeup> {
        // SAFETY: the journal is open.
        check(unsafe { sys::sd_journal_process(self.as_ptr()) }).map(wakeup)
    }

    /// Returns whether the descriptor reports all changes at once. It does not if files are on a
    /// network. See sd_journal_reliable_fd(3).
    ///
    /// ```
    /// use libsystemd_safe::journal::{OpenFlags, Reader};
    ///
    /// let reader = Reader::open(OpenFlags::LOCAL_ONLY)?;
    /// if !reader.reliable_fd()? {
    ///     println!("checked every {:?}", reader.timeout()?);
    /// }
    /// # Ok::<(), std::io::Error>(())
    /// ```
    ///
    /// # Errors
    ///
    /// `ECHILD` after fork(2).
    #[doc(alias = "sd_journal_reliable_fd")]
    pub fn reliable_fd(&self) -> io::Result<bool> {
        // SAFETY: the journal is open.
        check(unsafe { sys::sd_journal_reliable_fd(self.as_ptr()) }).map(|reliable| reliable > 0)
    }
}

/// Converts the return value of sd_journal_process(3).
fn wakeup(change: c_int) -> Wakeup {
    match change {
        sys::SD_JOURNAL_NOP => Wakeup::Nop,
        sys::SD_JOURNAL_APPEND => Wakeup::Append,
        // A change that this release does not know could be any.
        _ => Wakeup::Invalidate,
    }
}
