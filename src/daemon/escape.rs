//! Escapes text for a line: control characters other than the tab, and bytes that are not UTF-8.
//!
//! Most text needs no escape. So blocks of it are checked and copied at once, and only a block with
//! something to escape is processed character by character.

#![forbid(unsafe_code)]

use super::printable::{
    BLOCK, CHARACTER, WORD, Window, has_only_graphic, is_printable_ascii, printable_length,
    printable_utf8_length, special_bits,
};

/// Bytes that are checked at once after some blocks without an escape. More would be checked again
/// in smaller parts too often.
const LARGE: usize = 256;

/// Bytes that are checked and then copied. The copy finds them in the processor's cache.
const CHUNK: usize = 8 * LARGE;

/// Most characters to escape one at a time in a block. If there are more, or characters that are
/// not ASCII between them, it is faster to treat each character in the same way.
const FEW: u32 = 8;

/// Appends `bytes` as text of one line. Control characters other than the tab, and bytes that are
/// not UTF-8, become one `\xNN` for each byte.
pub fn escape(bytes: &[u8], line: &mut Vec<u8>) {
    let mut rest = bytes;
    while rest.len() >= BLOCK {
        let chunk = &rest[..rest.len().min(CHUNK)];
        let (printable, after) = rest.split_at(printable_ascii_length(chunk));
        line.extend_from_slice(printable);
        rest = match after.split_first_chunk() {
            _ if printable.len() == CHUNK => after,
            Some((block, _)) if block.is_ascii() => {
                &after[escape_ascii_block(block, after, line)..]
            }
            Some((block, _)) => &after[escape_utf8(block, after, line)..],
            None => after,
        };
    }
    escape_short(rest, line);
}

/// Returns the length of the blocks before the first one that is not all printable ASCII.
fn printable_ascii_length(bytes: &[u8]) -> usize {
    let mut length = 0;
    loop {
        let few = &bytes[length..bytes.len().min(length + LARGE)];
        let few = leading_length::<BLOCK>(few, is_printable_ascii);
        length += few;
        if few < LARGE {
            return length;
        }
        length += leading_length::<LARGE>(&bytes[length..], has_only_graphic);
    }
}

/// Returns the length of the parts of `N` bytes before the first one that is not `accepted`.
fn leading_length<const N: usize>(bytes: &[u8], accepted: impl Fn(&[u8]) -> bool) -> usize {
    N * bytes.chunks_exact(N).take_while(|part| accepted(part)).count()
}

/// Appends a block of ASCII, which `bytes` begin with. Returns its length.
fn escape_ascii_block(block: &[u8; BLOCK], bytes: &[u8], line: &mut Vec<u8>) -> usize {
    let mut special = special_bits(block);
    if special.count_ones() > FEW {
        return escape_characters(bytes, BLOCK, line);
    }
    let mut at = 0;
    while at < BLOCK {
        // BLOCK if there is none.
        let next = special.trailing_zeros() as usize;
        append_start(&bytes[at..], next - at, line);
        if next == BLOCK {
            break;
        }
        line.extend_from_slice(&SHOWN[usize::from(block[next])].text);
        special &= special - 1;
        at = next + 1;
    }
    BLOCK
}

/// Appends the first `length` bytes of `bytes`, at most a block. A copy of a whole block takes a
/// fraction of the time of a call of memcpy.
fn append_start(bytes: &[u8], length: usize, line: &mut Vec<u8>) {
    let end = line.len() + length;
    match bytes.first_chunk::<BLOCK>() {
        Some(block) => line.extend_from_slice(block),
        None => line.extend_from_slice(&bytes[..length]),
    }
    line.truncate(end);
}

/// Appends less than a block.
fn escape_short(bytes: &[u8], line: &mut Vec<u8>) {
    if is_printable_ascii(bytes) {
        line.extend_from_slice(bytes);
    } else {
        escape_characters(bytes, BLOCK, line);
    }
}

/// Appends printable UTF-8 and the character after it, or a block if that character comes soon.
/// `bytes` begin with `block`. Returns how many bytes it appended.
fn escape_utf8(block: &[u8; BLOCK], bytes: &[u8], line: &mut Vec<u8>) -> usize {
    let length = copy_utf8(block, bytes, line);
    let rest = &bytes[length..];
    length
        + if length < WORD {
            escape_characters(rest, BLOCK, line)
        } else {
            escape_character(rest, line)
        }
}

/// Appends whole characters of printable UTF-8. Returns their length in bytes.
fn copy_utf8(block: &[u8; BLOCK], bytes: &[u8], line: &mut Vec<u8>) -> usize {
    let mut first: Window = [b' '; CHARACTER - 1 + BLOCK];
    first[CHARACTER - 1..].copy_from_slice(block);
    let (mut window, mut end) = (&first, 0);
    loop {
        let length = printable_utf8_length(window);
        append_start(&bytes[end..], length, line);
        end += length;
        if length < BLOCK {
            break;
        }
        let Some(next) = bytes[end + 1 - CHARACTER..].first_chunk() else {
            break;
        };
        window = next;
    }
    let incomplete = match bytes[..end] {
        [.., 0xc0..=0xff] => 1,
        [.., 0xe0..=0xff, _] => 2,
        [.., 0xf0..=0xff, _, _] => 3,
        _ => 0,
    };
    line.truncate(line.len() - incomplete);
    end - incomplete
}

/// Appends characters until they have at least `count` bytes, or `bytes` ends. Returns how many
/// bytes they have.
fn escape_characters(bytes: &[u8], count: usize, line: &mut Vec<u8>) -> usize {
    let mut at = 0;
    while at < count {
        at += match bytes[at..].first_chunk() {
            Some(window) => escape_word(window, line),
            None if at == bytes.len() => break,
            None => escape_character(&bytes[at..], line),
        };
    }
    at
}

/// Appends the first character. Returns its length in bytes, or 0 if there is none.
fn escape_character(bytes: &[u8], line: &mut Vec<u8>) -> usize {
    let Some(&byte) = bytes.first() else {
        return 0;
    };
    let length = printable_length(bytes);
    if length > 0 {
        line.extend_from_slice(&bytes[..length]);
        return length;
    }
    let Shown { text, length } = &SHOWN[usize::from(byte)];
    line.extend_from_slice(&text[..*length as usize]);
    1
}

/// Appends characters until they have at least the length of a word. Returns their length in bytes.
fn escape_word(window: &[u8; WORD + CHARACTER - 1], line: &mut Vec<u8>) -> usize {
    /// Each byte becomes four, and each copy has four bytes.
    const ROOM: usize = 4 * (WORD + CHARACTER);
    let start = line.len();
    line.extend_from_slice(&[0; ROOM]);
    let shown = &mut line[start..];
    let (mut at, mut end) = (0, 0);
    while let Some(&character) = window[at..].first_chunk::<CHARACTER>() {
        let length = printable_length(&character);
        let (text, read, written) = if length > 0 {
            (character, length, length)
        } else {
            let Shown { text, length } = SHOWN[usize::from(character[0])];
            (text, 1, length as usize)
        };
        shown[end..end + CHARACTER].copy_from_slice(&text);
        (at, end) = (at + read, end + written);
    }
    line.truncate(start + end);
    at
}

/// What a byte becomes that is no part of a printable character of several bytes.
#[derive(Clone, Copy)]
struct Shown {
    /// The text, and then zeroes.
    text: [u8; 4],
    length: u32,
}

/// By byte.
static SHOWN: [Shown; 256] = {
    const HEX: &[u8; 16] = b"0123456789abcdef";
    let mut all = [Shown { text: [0; 4], length: 1 }; 256];
    let mut byte = 0;
    while byte < 256 {
        all[byte] = match byte as u8 {
            printable @ (b'\t' | b' '..=b'~') => Shown { text: [printable, 0, 0, 0], length: 1 },
            _ => Shown { text: [b'\\', b'x', HEX[byte >> 4], HEX[byte & 15]], length: 4 },
        };
        byte += 1;
    }
    all
};
