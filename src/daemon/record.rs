//! Renders a datagram as one line: its length, its sender and its text; and as fields of an entry of
//! the journal. Does no I/O.

#![forbid(unsafe_code)]

pub use super::escape::escape;
use super::unit::Unit;
use std::iter;

/// Begins the last field, the only one that may contain newlines.
const PAYLOAD_FIELD: &[u8] = b"FOO_PAYLOAD=";

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

    /// Appends the address as text: `/path`, `@name` or `(unnamed)`.
    fn render(self, line: &mut Vec<u8>) {
        match self {
            Self::Path(path) => escape(path, line),
            Self::Abstract(name) => {
                line.push(b'@');
                escape(name, line);
            }
            Self::Unnamed => line.extend_from_slice(b"(unnamed)"),
        }
    }
}

/// A datagram to be logged.
#[derive(Clone, Copy, Debug)]
pub struct Record<'a> {
    /// Who sent it, if the socket passes credentials.
    pub credentials: Option<Credentials>,
    /// The unit that the sender belongs to, if it is known.
    pub unit: Option<&'a Unit>,
    /// The address it was sent from.
    pub sender: Sender<'a>,
    /// Its length as sent, in bytes.
    pub length: usize,
    /// Its bytes. The datagram is truncated if `length` is greater.
    pub payload: &'a [u8],
}

/// What the kernel reports of a sender.
#[derive(Clone, Copy)]
enum Value<'a> {
    Number(u32),
    /// The name of a unit, which has no character to escape.
    Name(&'a str),
}

impl Value<'_> {
    fn render(self, line: &mut Vec<u8>) {
        match self {
            Self::Number(number) => push_decimal(number as usize, line),
            Self::Name(name) => line.extend_from_slice(name.as_bytes()),
        }
    }
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
        // Stands before everything that the sender chooses, so that no name can imitate it.
        let mut separator: &[u8] = b" (";
        for (what, _, value) in self.trusted() {
            line.extend_from_slice(separator);
            line.extend_from_slice(what);
            value.render(line);
            separator = b", ";
        }
        if separator == b", " {
            line.push(b')');
        }
        line.extend_from_slice(b" from ");
        self.sender.render(line);
        let truncated_bytes = self.length - self.payload.len().min(self.length);
        if truncated_bytes > 0 {
            line.extend_from_slice(b", ");
            push_decimal(truncated_bytes, line);
            line.extend_from_slice(b" of them cut");
        }
        line.extend_from_slice(b": ");
        escape(self.text(truncated_bytes > 0), line);
    }

    /// Appends the record as fields of an entry, which [`fields`] separates. A field is left out if
    /// its value is unknown.
    ///
    /// Their names are foo's own, and no value but that of the last has a newline. So no sender can
    /// add a field, or imitate one of journald's, which begin with an underscore.
    pub fn render_fields(&self, fields: &mut Vec<u8>) {
        if self.sender != Sender::Unnamed {
            fields.extend_from_slice(b"FOO_SENDER_ADDRESS=");
            self.sender.render(fields);
            fields.push(b'\n');
        }
        for (_, name, value) in self.trusted() {
            fields.extend_from_slice(name);
            value.render(fields);
            fields.push(b'\n');
        }
        fields.extend_from_slice(b"FOO_LENGTH=");
        push_decimal(self.length, fields);
        fields.push(b'\n');
        fields.extend_from_slice(PAYLOAD_FIELD);
        fields.extend_from_slice(self.payload);
    }

    /// Returns what the kernel reports of the sender, as far as it is known: what it is, the name of
    /// its field, and its value.
    fn trusted(&self) -> impl Iterator<Item = (&'static [u8], &'static [u8], Value<'_>)> {
        let of_credentials = |get: fn(&Credentials) -> u32| {
            self.credentials.as_ref().map(|credentials| Value::Number(get(credentials)))
        };
        let name = self.unit.map(|unit| Value::Name(&unit.name));
        let user = self.unit.and_then(|unit| unit.user.as_deref()).map(Value::Name);
        let all: [(&[u8], &[u8], _); 4] = [
            (b"pid ", b"FOO_SENDER_PID=", of_credentials(|credentials| credentials.pid)),
            (b"uid ", b"FOO_SENDER_UID=", of_credentials(|credentials| credentials.uid)),
            (b"unit ", b"FOO_SENDER_UNIT=", name),
            (b"user unit ", b"FOO_SENDER_USER_UNIT=", user),
        ];
        all.into_iter().filter_map(|(what, field, value)| Some((what, field, value?)))
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

/// Returns the fields that [`Record::render_fields`] has appended, each as `NAME=value`.
pub fn fields(mut rest: &[u8]) -> impl Iterator<Item = &[u8]> {
    iter::from_fn(move || {
        let is_last = rest.starts_with(PAYLOAD_FIELD);
        let end = memchr::memchr(b'\n', rest).filter(|_| !is_last);
        let field;
        (field, rest) = match end {
            Some(end) => (&rest[..end], &rest[end + 1..]),
            None => (rest, &[][..]),
        };
        Some(field).filter(|field| !field.is_empty())
    })
}

/// Appends a number in decimal. Takes a fraction of the time of `write!`.
fn push_decimal(number: usize, line: &mut Vec<u8>) {
    if number >= 10 {
        push_decimal(number / 10, line);
    }
    line.push(b'0' + (number % 10) as u8);
}
