//! Renders a datagram as one line: its length, its sender and its text. Does no I/O.

#![forbid(unsafe_code)]

pub use super::escape::escape;

/// The process and the user that sent a datagram, as the kernel reports them.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Credentials {
    /// The process; 0 if it is in another PID namespace.
    pub pid: u32,
    /// The user; 65534 if it is in another user namespace.
    pub uid: u32,
}

/// The address of the socket that a datagram was sent from.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Sender<'a> {
    /// A path, without its NUL.
    Path(&'a [u8]),
    /// An abstract name, without the NUL before it.
    Abstract(&'a [u8]),
    /// None: the socket is not bound.
    Unnamed,
}

impl<'a> Sender<'a> {
    /// Parses the bytes that the kernel returned in `sun_path`, see unix(7).
    pub fn from_sun_path(bytes: &'a [u8]) -> Self {
        match bytes {
            [] => Self::Unnamed,
            [0, name @ ..] => Self::Abstract(name),
            // A path of all 108 bytes has no NUL.
            path => Self::Path(path.split(|&byte| byte == 0).next().unwrap_or(path)),
        }
    }
}

/// A datagram to be logged.
#[derive(Clone, Copy, Debug)]
pub struct Record<'a> {
    /// Who sent it, if the socket passes credentials.
    pub credentials: Option<Credentials>,
    /// The address it was sent from.
    pub sender: Sender<'a>,
    /// Its length as sent, in bytes.
    pub length: usize,
    /// Its bytes. The datagram is truncated if `length` is greater.
    pub payload: &'a [u8],
}

impl Record<'_> {
    /// Appends the record as one line, without a newline: `Received 5 bytes from /path: hello`.
    ///
    /// The line is always UTF-8 without control characters other than the tab. Text is unchanged,
    /// except that what ends it is left out.
    pub fn render(&self, line: &mut Vec<u8>) {
        line.extend_from_slice(b"Received ");
        push_decimal(self.length, line);
        line.extend_from_slice(b" bytes");
        if let Some(Credentials { pid, uid }) = self.credentials {
            // Stands before everything that the sender chooses, so that no name can imitate it.
            line.extend_from_slice(b" (pid ");
            push_decimal(pid as usize, line);
            line.extend_from_slice(b", uid ");
            push_decimal(uid as usize, line);
            line.push(b')');
        }
        line.extend_from_slice(b" from ");
        match self.sender {
            Sender::Path(path) => escape(path, line),
            Sender::Abstract(name) => {
                line.push(b'@');
                escape(name, line);
            }
            Sender::Unnamed => line.extend_from_slice(b"(unnamed)"),
        }
        let truncated_bytes = self.length - self.payload.len().min(self.length);
        if truncated_bytes > 0 {
            line.extend_from_slice(b", ");
            push_decimal(truncated_bytes, line);
            line.extend_from_slice(b" of them cut");
        }
        line.extend_from_slice(b": ");
        escape(self.text(truncated_bytes > 0), line);
    }

    /// Returns the payload without one trailing newline, NUL, or both in this order, unless it was
    /// truncated. Python's SysLogHandler ends messages with a NUL.
    fn text(&self, is_truncated: bool) -> &[u8] {
        match self.payload {
            [text @ .., b'\n', 0] | [text @ .., b'\n' | 0] if !is_truncated => text,
            text => text,
        }
    }
}

/// Appends a number in decimal. Takes a fraction of the time of `write!`.
fn push_decimal(number: usize, line: &mut Vec<u8>) {
    if number >= 10 {
        push_decimal(number / 10, line);
    }
    line.push(b'0' + (number % 10) as u8);
}
