//! The checks of many bytes at once, exactly. A wrong one of them could be right in the line of each
//! datagram all the same, and only make it slow.

#[path = "common/shown.rs"]
#[allow(dead_code, reason = "other tests use the rest")]
mod shown;

use foo::daemon::printable::{
    BLOCK, CHARACTER, Window, has_only_graphic, is_printable_ascii, printable_length,
    printable_utf8_length, special_bits,
};
use shown::is_printable;
use std::{array, str};

/// Bytes at the ends of the ranges that UTF-8 and the control characters have.
const ENDS: [u8; 29] = [
    0x00, 0x09, 0x1f, 0x20, 0x7e, 0x7f, 0x80, 0x8f, 0x90, 0x9f, 0xa0, 0xbf, 0xc0, 0xc1, 0xc2, 0xc3,
    0xdf, 0xe0, 0xe1, 0xec, 0xed, 0xee, 0xef, 0xf0, 0xf1, 0xf3, 0xf4, 0xf5, 0xff,
];

/// Returns all sequences of four of these bytes.
fn sequences() -> impl Iterator<Item = [u8; CHARACTER]> {
    (0..ENDS.len().pow(CHARACTER as u32)).map(|number| {
        array::from_fn(|place| ENDS[number / ENDS.len().pow(place as u32) % ENDS.len()])
    })
}

/// Returns how many of the bytes printable text may begin with. Its last character may go on.
fn printable_start(bytes: &[u8]) -> usize {
    let (text, rest) = match str::from_utf8(bytes) {
        Ok(text) => (text, 0),
        Err(error) => {
            let (text, rest) = bytes.split_at(error.valid_up_to());
            let begun = (1..=rest.len()).rev().find(|&length| {
                str::from_utf8(&rest[..length]).is_err_and(|error| error.error_len().is_none())
            });
            (str::from_utf8(text).unwrap(), begun.unwrap_or_default())
        }
    };
    match text.char_indices().find(|(_, character)| !is_printable(*character)) {
        // The first byte of U+0080 to U+009F is also that of printable characters.
        Some((start, control)) => start + control.len_utf8() - 1,
        None => text.len() + rest,
    }
}

#[test]
fn each_byte_at_each_place() {
    for byte in 0..=u8::MAX {
        let printable = byte.is_ascii() && is_printable(byte.into());
        for place in 0..BLOCK {
            let mut block = [b'x'; BLOCK];
            block[place] = byte;
            let case = format!("{byte:#x} at {place}");
            assert_eq!(is_printable_ascii(&block), printable, "{case}");
            assert_eq!(has_only_graphic(&block), printable && byte != b'\t', "{case}");
            assert_eq!(special_bits(&block), u32::from(!printable) << place, "{case}");
        }
        let all = if printable { 0 } else { u32::MAX };
        assert_eq!(special_bits(&[byte; BLOCK]), all, "{byte:#x} everywhere");
    }
}

#[test]
fn the_first_character() {
    for bytes in sequences() {
        let first = bytes.utf8_chunks().next().and_then(|chunk| chunk.valid().chars().next());
        let printable = first.filter(|&first| !first.is_ascii() && is_printable(first));
        let want = printable.map_or(0, char::len_utf8);
        assert_eq!(printable_length(&bytes), want, "{bytes:x?}");
    }
}

#[test]
fn the_start_of_a_block() {
    // What follows a shorter character is another one.
    for bytes in sequences().filter(|bytes| bytes[0] >= 0xf0 || bytes[3] == b' ') {
        let mut window: Window = [b' '; CHARACTER - 1 + BLOCK];
        window[CHARACTER - 1..][..CHARACTER].copy_from_slice(&bytes);
        let want = printable_start(&window) + 1 - CHARACTER;
        assert_eq!(printable_utf8_length(&window), want, "{bytes:x?}");
    }
}

/// Text of each length of character, and one of these bytes behind it, so that blocks begin at each
/// place of a character.
#[test]
fn blocks_within_a_text() {
    for text in ["x", "é", "€", "😀"] {
        for byte in ENDS {
            for count in 1..30 {
                let bytes = [text.repeat(count).as_bytes(), &[byte; BLOCK]].concat();
                let printable = printable_start(&bytes);
                for window in bytes.windows(CHARACTER - 1 + BLOCK).zip(CHARACTER - 1..) {
                    let (window, start) = (window.0.first_chunk().unwrap(), window.1);
                    if start <= printable {
                        let want = BLOCK.min(printable - start);
                        let got = printable_utf8_length(window);
                        assert_eq!(got, want, "{byte:#x} after {count} {text}, from {start} on");
                    }
                }
            }
        }
    }
}
