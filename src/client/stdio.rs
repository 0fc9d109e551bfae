//! Standard input and output, which may be non-blocking: another program that has the same terminal
//! or pipe can set that.

#![forbid(unsafe_code)]

use nix::poll::{PollFd, PollFlags, PollTimeout, poll};
use std::{
    io::{self, BufRead, ErrorKind, Write},
    os::fd::AsFd,
};

/// Reads the next line without its newline. Returns `false` at the end.
///
/// Of a line that is longer than `limit`, reads only a little more than that, so that it can't fill
/// the memory. Such a line is too long to be sent.
pub fn read_line(
    input: &mut (impl BufRead + AsFd),
    line: &mut Vec<u8>,
    limit: usize,
) -> io::Result<bool> {
    line.clear();
    loop {
        let part = match input.fill_buf() {
            Ok([]) => return Ok(!line.is_empty()),
            Ok(part) => part,
            Err(error) if error.kind() == ErrorKind::Interrupted => continue,
            Err(error) if error.kind() == ErrorKind::WouldBlock => {
                wait(input, PollFlags::POLLIN)?;
                continue;
            }
            Err(error) => return Err(error),
        };
        let newline = memchr::memchr(b'\n', part);
        let length = newline.unwrap_or(part.len());
        line.extend_from_slice(&part[..length]);
        input.consume(length + usize::from(newline.is_some()));
        if newline.is_some() || line.len() > limit {
            return Ok(true);
        }
    }
}

/// Prints bytes.
pub fn print(mut bytes: &[u8]) -> io::Result<()> {
    let mut output = io::stdout().lock();
    while !bytes.is_empty() {
        match output.write(bytes) {
            Ok(count) => bytes = &bytes[count..],
            Err(error) if error.kind() == ErrorKind::Interrupted => {}
            Err(error) if error.kind() == ErrorKind::WouldBlock => {
                wait(&output, PollFlags::POLLOUT)?;
            }
            Err(error) => return Err(error),
        }
    }
    flush(&mut output)
}

fn flush(output: &mut (impl Write + AsFd)) -> io::Result<()> {
    loop {
        match output.flush() {
            Err(error) if error.kind() == ErrorKind::WouldBlock => {
                wait(&*output, PollFlags::POLLOUT)?;
            }
            result => return result,
        }
    }
}

/// Waits until a descriptor is ready.
fn wait(fd: &impl AsFd, events: PollFlags) -> io::Result<()> {
    // After a signal, the caller tries again.
    match poll(&mut [PollFd::new(fd.as_fd(), events)], PollTimeout::NONE) {
        Ok(_) | Err(nix::errno::Errno::EINTR) => Ok(()),
        Err(errno) => Err(errno.into()),
    }
}
