//! A second implementation of what a line shows for some bytes: slow, one character after the
//! other, easy to verify.

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

/// The payload without one trailing newline or NUL.
pub fn text(payload: &[u8]) -> &[u8] {
    match payload {
        [text @ .., b'\n' | 0] => text,
        text => text,
    }
}
