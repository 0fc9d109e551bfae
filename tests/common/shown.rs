//! What is to stand in a line for some bytes, told a character after the other: slow, but plain to see.

/// Text as it is, but for control characters other than the tab; all else a `\xNN` for each byte.
pub fn shown(bytes: &[u8]) -> String {
    let hex = |bytes: &[u8]| {
        bytes
            .iter()
            .map(|byte| format!("\\x{byte:02x}"))
            .collect::<Vec<_>>()
            .concat()
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

/// Whether text comes through unchanged: printable, as systemd sees it, or a tab.
pub fn is_printable(character: char) -> bool {
    character == '\t' || !character.is_control()
}

/// A payload without the one newline or NUL that ends it.
pub fn text(payload: &[u8]) -> &[u8] {
    match payload {
        [text @ .., b'\n' | 0] => text,
        text => text,
    }
}
