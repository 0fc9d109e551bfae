//! Renders a datagram as one line: its length, its sender and its text. Does no I/O.

#![forbid(unsafe_code)]

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
    /// except that one newline or NUL at its end is left out.
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

    /// Returns the payload without one trailing newline or NUL, unless it was truncated.
    fn text(&self, is_truncated: bool) -> &[u8] {
        match self.payload {
            [text @ .., b'\n' | 0] if !is_truncated => text,
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

/// Appends `bytes` as text of one line. Control characters other than the tab, and bytes that are
/// not UTF-8, become one `\xNN` for each byte.
pub fn escape(bytes: &[u8], line: &mut Vec<u8>) {
    if is_printable_ascii(bytes) {
        return line.extend_from_slice(bytes);
    }
    for chunk in bytes.utf8_chunks() {
        escape_controls(chunk.valid().as_bytes(), line);
        escape_bytes(chunk.invalid(), line);
    }
}

/// Returns whether all bytes are printable ASCII, as in most texts. Costs a fraction of the search
/// for control characters.
fn is_printable_ascii(bytes: &[u8]) -> bool {
    // The loop over a chunk has no early exit, so that the compiler vectorizes it.
    let printable =
        |chunk: &[u8]| chunk.iter().fold(true, |all, byte| all & matches!(byte, b' '..=b'~'));
    bytes.chunks(256).all(printable)
}

/// Appends valid UTF-8 with its control characters escaped.
fn escape_controls(mut text: &[u8], line: &mut Vec<u8>) {
    while let Some((start, length)) = find_control(text) {
        let (before, rest) = text.split_at(start);
        let (control, after) = rest.split_at(length);
        line.extend_from_slice(before);
        escape_bytes(control, line);
        text = after;
    }
    line.extend_from_slice(text);
}

/// Returns the position and the length in bytes of the first control character.
fn find_control(text: &[u8]) -> Option<(usize, usize)> {
    let mut from = 0;
    loop {
        let at = from
            + text[from..].iter().position(|&byte| byte < b' ' || matches!(byte, 0x7f | 0xc2))?;
        match text[at] {
            b'\t' => from = at + 1,
            // U+0080 to U+009F are C2 80 to C2 9F; C2 begins only printable characters otherwise.
            0xc2 if !matches!(text.get(at + 1), Some(0x80..=0x9f)) => from = at + 1,
            0xc2 => return Some((at, 2)),
            _ => return Some((at, 1)),
        }
    }
}

/// Appends each byte as `\xNN`.
fn escape_bytes(bytes: &[u8], line: &mut Vec<u8>) {
    const HEX: &[u8; 16] = b"0123456789abcdef";
    for &byte in bytes {
        line.extend_from_slice(&[
            b'\\',
            b'x',
            HEX[usize::from(byte >> 4)],
            HEX[usize::from(byte & 15)],
        ]);
    }
}
