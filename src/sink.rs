//! What the log's lines are written to, and what happens where they can't be.

#![forbid(unsafe_code)]

use crate::systemd::journal::{self, Priority};
use nix::poll::{PollFd, PollFlags, PollTimeout, poll};
use std::{
    env,
    fs::{File, Metadata},
    io::{self, ErrorKind, Write},
    mem,
    os::{
        fd::{AsFd, BorrowedFd, OwnedFd},
        linux::fs::MetadataExt,
        unix::{fs::FileTypeExt, net::UnixStream},
    },
    thread,
    time::Duration,
};

/// Bytes that a pipe or a socket takes without blocking when poll(2) says that it takes any: PIPE_BUF.
const ROOM: usize = 4096;

/// How long to leave alone what has failed in a way that can pass.
pub const RETRY_AFTER: Duration = Duration::from_millis(100);

/// Standard error, or a stream of our own to the journal where that one broke.
pub struct Sink {
    to: File,
    /// Whether `to` is a stream to the journal. Then it doesn't block: nobody else writes to it.
    journal: bool,
    /// Whether a write to `to` may block.
    may_block: bool,
    /// Whether the journal has dropped its stream and no other is to be had yet.
    broken: bool,
    /// Lines that were written, and that the journal may not have read: so many go with a stream it drops.
    unconfirmed: usize,
    /// Lines that were lost, or may have been, and that no line tells of yet.
    lost: usize,
}

impl Sink {
    /// Takes standard error.
    ///
    /// # Errors
    ///
    /// Where there is no descriptor left for it.
    pub fn open() -> io::Result<Self> {
        let to = File::from(io::stderr().as_fd().try_clone_to_owned()?);
        let metadata = to.metadata()?;
        let kind = metadata.file_type();
        let journal = is_journal(&metadata);
        Ok(Self {
            to: if journal { nonblocking(to.into())? } else { to },
            journal,
            may_block: !journal && (kind.is_fifo() || kind.is_socket()),
            broken: false,
            unconfirmed: 0,
            lost: 0,
        })
    }

    /// Whether it is a stream to the journal.
    pub fn is_journal(&self) -> bool {
        self.journal
    }

    /// How much the journal has not read yet, in bytes.
    pub fn unread(&self) -> usize {
        if self.journal { journal::unread(&self.to).unwrap_or(0) } else { 0 }
    }

    /// Writes lines, of which so many bytes have been, as far as they are taken now, and says how many bytes
    /// have been then. Lines that can't be written at all count as written: they are lost, which is told of
    /// once a line can be written. So is what a journal that stopped may not have read.
    pub fn write(&mut self, lines: &[u8], mut written: usize) -> usize {
        if written == lines.len() {
            return written;
        }
        let between_lines = written == 0 || lines[written - 1] == b'\n';
        if self.lost > 0 && between_lines {
            // Begins with a newline, since the line that failed may have been written in part.
            let (warning, lost) = (Priority::Warning.prefix(), self.lost);
            let report = format!("\n{warning}Up to {lost} lines before this one were lost\n");
            if self.try_write(report.as_bytes()).is_ok_and(|count| count == report.len()) {
                // The report may be lost too, and what it tells with it.
                self.unconfirmed += mem::take(&mut self.lost);
            }
        }
        // Of a stream that the journal has dropped nothing is unread either: a write must succeed first.
        let mut confirmed = self.journal && self.unread() == 0;
        let mut failed = false;
        while written < lines.len() {
            match self.try_write(&lines[written..]) {
                Ok(count) => {
                    if mem::take(&mut confirmed) {
                        self.unconfirmed = 0;
                    }
                    if self.journal {
                        self.unconfirmed += count_lines(&lines[written..written + count]);
                    }
                    written += count;
                }
                Err(error) if error.kind() == ErrorKind::WouldBlock => break,
                Err(error) if error.kind() == ErrorKind::Interrupted => {}
                Err(_) if self.journal => {
                    // It was stopped or restarted, and will be back: what is to be written waits.
                    self.lost += mem::take(&mut self.unconfirmed);
                    self.broken = failed || self.reopen().is_err();
                    failed = true;
                    // The line that the break cut in two is written anew, as a whole.
                    let begun = lines[..written].iter().rposition(|&byte| byte == b'\n');
                    written = begun.map_or(0, |newline| newline + 1);
                    if self.broken {
                        break;
                    }
                }
                Err(_) if !failed => failed = true,
                Err(_) => {
                    self.lost += count_lines(&lines[written..]);
                    written = lines.len();
                }
            }
        }
        written
    }

    /// Writes what is taken without blocking.
    fn try_write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        if !self.may_block {
            return self.to.write(bytes);
        }
        if poll(&mut [PollFd::new(self.to.as_fd(), PollFlags::POLLOUT)], PollTimeout::ZERO)? == 0 {
            return Err(ErrorKind::WouldBlock.into());
        }
        self.to.write(&bytes[..bytes.len().min(ROOM)])
    }

    /// What is ready when something can be written; `None` where there is nothing but to try again.
    pub fn ready_fd(&self) -> Option<BorrowedFd<'_>> {
        (!self.broken).then(|| self.to.as_fd())
    }

    /// Waits until something can be written, or until it is time to try again, but no longer than so long.
    pub fn wait(&self, longest: Duration) {
        match self.ready_fd() {
            // Where this fails, the next write tells.
            Some(fd) => {
                let timeout = longest.try_into().unwrap_or(PollTimeout::MAX);
                let _ = poll(&mut [PollFd::new(fd, PollFlags::POLLOUT)], timeout);
            }
            None => thread::sleep(longest.min(RETRY_AFTER)),
        }
    }

    /// Opens a stream of our own to the journal, which was restarted and has dropped the one it gave us.
    fn reopen(&mut self) -> io::Result<()> {
        self.to = nonblocking(journal::stream_fd(c"foo", Priority::Info)?)?;
        Ok(())
    }
}

/// Whether the journal opened what this is of: `JOURNAL_STREAM=` of systemd.exec(5) tells its device and inode.
fn is_journal(metadata: &Metadata) -> bool {
    let stream = format!("{}:{}", metadata.st_dev(), metadata.st_ino());
    env::var_os("JOURNAL_STREAM").is_some_and(|value| value == *stream)
}

/// A stream to the journal, made not to block.
fn nonblocking(stream: OwnedFd) -> io::Result<File> {
    let stream = UnixStream::from(stream);
    stream.set_nonblocking(true)?;
    Ok(OwnedFd::from(stream).into())
}

fn count_lines(lines: &[u8]) -> usize {
    lines.iter().filter(|&&byte| byte == b'\n').count()
}
