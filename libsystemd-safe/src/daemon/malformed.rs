//! Which variable of the environment is malformed, after sd_listen_fds(3) has refused one of them.

#![forbid(unsafe_code)]

use super::listen::{LISTEN_FDS_START, flags};
use std::{
    env, error,
    ffi::{OsStr, OsString},
    fmt, io,
    os::unix::ffi::OsStrExt,
};

/// The error of libsystemd, with a text that names the variable.
struct Malformed {
    text: String,
    source: io::Error,
}

impl fmt::Display for Malformed {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.text)
    }
}

/// The text, since a `main` that returns an error prints it in this form.
impl fmt::Debug for Malformed {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.text)
    }
}

impl error::Error for Malformed {
    fn source(&self) -> Option<&(dyn error::Error + 'static)> {
        Some(&self.source)
    }
}

/// Adds to an error of libsystemd which variable it is about. Other errors stay as they are.
pub(super) fn explained(source: io::Error) -> io::Error {
    let cause = match source.raw_os_error() {
        Some(libc::EBADF) => closed(),
        Some(libc::EINVAL | libc::ERANGE) => malformed(|name| env::var_os(name)),
        _ => None,
    };
    match cause {
        Some(text) => io::Error::new(source.kind(), Malformed { text, source }),
        None => source,
    }
}

/// Describes the first promised descriptor that is not open.
fn closed() -> Option<String> {
    let value = env::var_os("LISTEN_FDS")?;
    let count = i32::try_from(number(&value)?).ok()?;
    let promised = LISTEN_FDS_START..LISTEN_FDS_START.checked_add(count)?;
    let fd = promised.into_iter().find(|&fd| flags(fd).is_none())?;
    Some(format!("LISTEN_FDS={value:?} promises descriptor {fd}, which is not open"))
}

/// Describes the variable that libsystemd refuses, in the order in which it reads them.
fn malformed(get: impl Fn(&str) -> Option<OsString>) -> Option<String> {
    let pid = get("LISTEN_PID")?;
    if !number(&pid).is_some_and(|pid| (1..=i32::MAX.into()).contains(&pid)) {
        return Some(format!("LISTEN_PID={pid:?} is not the number of a process"));
    }
    // Releases before 259 do not read it. So it is the cause only if nothing else is.
    let pidfd = get("LISTEN_PIDFDID")
        .map(|value| format!("LISTEN_PIDFDID={value:?} is not the number of a pidfd"));
    let Some(fds) = get("LISTEN_FDS") else { return pidfd };
    let Some(count) = number(&fds).filter(|count| (1..=i32::MAX.into()).contains(count)) else {
        return Some(format!("LISTEN_FDS={fds:?} is not the number of one or more descriptors"));
    };
    let Some(names) = get("LISTEN_FDNAMES") else { return pidfd };
    let named = names_in(&names);
    if named == count {
        return pidfd;
    }
    Some(format!("LISTEN_FDNAMES={names:?} has {named} names, and LISTEN_FDS={fds:?}"))
}

/// Counts names as libsystemd does: a backslash takes the colon after it into the name.
fn names_in(names: &OsStr) -> i128 {
    let mut bytes = names.as_bytes().iter();
    let mut count = i128::from(!names.is_empty());
    while let Some(byte) = bytes.next() {
        match byte {
            b'\\' => drop(bytes.next()),
            b':' => count += 1,
            _ => {}
        }
    }
    count
}

/// Reads a number in the forms that libsystemd accepts, of any size.
fn number(text: &OsStr) -> Option<i128> {
    let text = text.to_str()?.trim_start();
    let (sign, digits) = match text.strip_prefix('-') {
        Some(digits) => (-1, digits),
        None => (1, text.strip_prefix('+').unwrap_or(text)),
    };
    let radix = [("0x", 16), ("0X", 16), ("0o", 8), ("0b", 2), ("0", 8)];
    let other = radix.iter().find_map(|&(prefix, radix)| {
        digits.strip_prefix(prefix).filter(|rest| !rest.is_empty()).map(|rest| (rest, radix))
    });
    let (digits, radix) = other.unwrap_or((digits, 10));
    let unsigned = digits.bytes().all(|byte| byte.is_ascii_hexdigit());
    i128::from_str_radix(digits, radix).ok().filter(|_| unsigned).map(|number| sign * number)
}
