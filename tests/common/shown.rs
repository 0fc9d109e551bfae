//! A second implementation of a datagram's line: slow, one character after the other, easy to
//! verify. All tests build the lines that they expect here, so a new wording has one place.

/// What each line of a datagram begins with, and no other line.
pub const BEGIN: &str = "Received ";

/// Text stays as it is, except for control characters other than the tab. Any other byte becomes
/// `\xNN`.
pub fn shown(bytes: &[u8]) -> String {
    let hex = |bytes: &[u8]| {
        bytes.iter().map(|byte| format!("\\x{byte:02x}")).collect::<Vec<_>>().concat()
    };
    let mut shown = String::new();
    for chunk in bytes.utf8_chunks() {
        for character in chunk.valid().chars() {
            match character {
                printable if is_printable(printable) => shown.push(printable),
                control => shown.push_str(&hex(control.encode_utf8(&mut [0; 4]).as_bytes())),
            }
        }
        shown.push_str(&hex(chunk.invalid()));
    }
    shown
}

/// Whether a character stays unchanged: printable, as systemd defines it, or a tab.
pub fn is_printable(character: char) -> bool {
    character == '\t' || !character.is_control()
}

/// What stands before the text in the line of a datagram of `length` bytes, of which the last
/// `truncated` are cut. The credentials are a process and a user; the name is as the line shows it.
pub fn head(
    length: usize,
    credentials: Option<(u32, u32)>,
    name: &str,
    truncated: usize,
) -> String {
    let who = credentials.map(|(pid, uid)| format!(" (pid {pid}, uid {uid})")).unwrap_or_default();
    let cut = if truncated == 0 { String::new() } else { format!(", {truncated} of them cut") };
    format!("{BEGIN}{length} bytes{who} from {name}{cut}: ")
}

/// The line of a datagram with this payload, behind which `truncated` bytes are cut.
pub fn line(
    credentials: Option<(u32, u32)>,
    name: &str,
    truncated: usize,
    payload: &[u8],
) -> String {
    let text = match (truncated, payload) {
        // A newline, a NUL, or both in this order at the end are not shown.
        (0, [text @ .., b'\n', 0] | [text @ .., b'\n' | 0] | text) => text,
        // The last byte of a truncated datagram is not its end.
        (_, text) => text,
    };
    head(payload.len() + truncated, credentials, name, truncated) + &shown(text)
}

/// The line of a datagram whose sender has no name.
pub fn unnamed(payload: impl AsRef<[u8]>) -> String {
    line(None, &name(b""), 0, payload.as_ref())
}

/// The name of a sender with this address, see unix(7).
pub fn name(sun_path: &[u8]) -> String {
    match sun_path {
        [] => "(unnamed)".into(),
        [0, name @ ..] => format!("@{}", shown(name)),
        path => shown(path.split(|&byte| byte == 0).next().unwrap_or_default()),
    }
}
