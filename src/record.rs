//! A datagram as a log record: who sent it, how long it was, and its text on one line. Pure: no I/O.

#![forbid(unsafe_code)]

/// The kernel's word for who sent a datagram. The sender's socket has no part in it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Credentials {
    /// The process, 0 if it is not in this PID namespace.
    pub pid: u32,
    /// The user, 65534 if it is not in this user namespace.
    pub uid: u32,
}

/// Where a datagram came from.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Sender<'a> {
    /// A socket that is bound to a path, given without its NUL.
    Path(&'a [u8]),
    /// A socket that is bound to an abstract name, given without the NUL before it.
    Abstract(&'a [u8]),
    /// A socket that is not bound.
    Unnamed,
}

impl<'a> Sender<'a> {
    /// Reads the bytes that the kernel gave for `sun_path`, as unix(7) describes them.
    pub fn from_sun_path(bytes: &'a [u8]) -> Self {
        match bytes {
            [] => Self::Unnamed,
            [0, name @ ..] => Self::Abstract(name),
            // A path of all 108 bytes has no NUL.
            path => Self::Path(path.split(|&byte| byte == 0).next().unwrap_or(path)),
        }
    }
}

/// One datagram, ready to be logged.
#[derive(Clone, Copy, Debug)]
pub struct Record<'a> {
    /// The kernel's word for the process and the user that sent it, if its socket asks for that.
    pub credentials: Option<Credentials>,
    /// Who sent it.
    pub sender: Sender<'a>,
    /// Its length as sent, in bytes.
    pub length: usize,
    /// As much of it as could be held: all of it unless `length` says more.
    pub payload: &'a [u8],
}

impl Record<'_> {
    /// Appends the record as one line, without a newline: `Received 5 bytes from /path: hello`.
    ///
    /// Whatever was sent, the line is UTF-8 without a control character other than the tab; text
    /// comes through unchanged, less one newline or NUL at its end.
    pub fn render(&self, line: &mut Vec<u8>) {
        line.extend_from_slice(b"Received ");
        decimal(self.length, line);
        line.extend_from_slice(b" bytes");
        if let Some(Credentials { pid, uid }) = self.credentials {
            // Before all that the sender chooses, so that no name looks like it.
            line.extend_from_slice(b" (pid ");
            decimal(pid as usize, line);
            line.extend_from_slice(b", uid ");
            decimal(uid as usize, line);
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
        let cut = self.length - self.payload.len().min(self.length);
        if cut > 0 {
            line.extend_from_slice(b", ");
            decimal(cut, line);
            line.extend_from_slice(b" of them cut");
        }
        line.extend_from_slice(b": ");
        escape(self.text(cut > 0), line);
    }

    /// The payload without what only ends it; where it was cut, its last byte is not its end.
    fn text(&self, cut: bool) -> &[u8] {
        match self.payload {
            [text @ .., b'\n' | 0] if !cut => text,
            text => text,
        }
    }
}

/// Appends a number, in a fraction of the time that formatting takes.
fn decimal(number: usize, line: &mut Vec<u8>) {
    if number >= 10 {
        decimal(number / 10, line);
    }
    line.push(b'0' + (number % 10) as u8);
}

/// Appends `bytes` as text of one line: control characters other than the tab, and bytes that are
/// not UTF-8, become `\xNN`, a byte each.
pub fn escape(bytes: &[u8], line: &mut Vec<u8>) {
    if is_printable_ascii(bytes) {
        return line.extend_from_slice(bytes);
    }
    for chunk in bytes.utf8_chunks() {
        escape_controls(chunk.valid().as_bytes(), line);
        escape_bytes(chunk.invalid(), line);
    }
}

/// Whether it is nothing but what most texts are, which costs a fraction of looking at each character.
fn is_printable_ascii(bytes: &[u8]) -> bool {
    // Within a chunk there is no early end, so that the compiler can take many bytes at once.
    let printable = |chunk: &[u8]| {
        chunk
            .iter()
            .fold(true, |all, byte| all & matches!(byte, b' '..=b'~'))
    };
    bytes.chunks(256).all(printable)
}

/// Appends valid UTF-8, copying what lies between control characters in one piece.
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

/// Where the first control character stands, and how many bytes it has.
fn find_control(text: &[u8]) -> Option<(usize, usize)> {
    let mut from = 0;
    loop {
        let at = from
            + text[from..]
                .iter()
                .position(|&byte| byte < b' ' || matches!(byte, 0x7f | 0xc2))?;
        match text[at] {
            b'\t' => from = at + 1,
            // U+0080 to U+009F are C2 80 to C2 9F; what else C2 begins is printable.
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
