//! Which bytes of a text are printable: the tab, and all but the control characters of UTF-8.
//!
//! The loops over the bytes of a block have no early exit, so that the compiler vectorizes them.

#![forbid(unsafe_code)]

use std::array;

/// Bytes of a block: one for each bit of [`special_bits`].
pub const BLOCK: usize = u32::BITS as usize;

/// Bytes of a word, a part of a block.
pub const WORD: usize = size_of::<u64>();

/// Most bytes of a UTF-8 character.
pub const CHARACTER: usize = 4;

/// Returns whether all bytes are printable ASCII or tabs.
pub fn is_printable_ascii(bytes: &[u8]) -> bool {
    let is_special = |byte: u8| (byte.wrapping_sub(b' ') > b'~' - b' ') & (byte != b'\t');
    !bytes.iter().fold(false, |any, &byte| any | is_special(byte))
}

/// Returns whether all bytes are printable ASCII, and none is a tab. Takes half of the time.
pub fn has_only_graphic(bytes: &[u8]) -> bool {
    let greatest = |max: u8, byte: &u8| max.max(byte.wrapping_sub(b' '));
    bytes.iter().fold(0, greatest) <= b'~' - b' '
}

/// Returns a bit for each byte of a block that is neither printable ASCII nor a tab. The first byte
/// has the lowest bit.
pub fn special_bits(block: &[u8; BLOCK]) -> u32 {
    let mut bits = 0;
    for (place, word) in block.chunks_exact(WORD).enumerate() {
        let special = special_bytes(u64::from_le_bytes(word.try_into().unwrap_or_default()));
        // Moves the lowest bit of each byte to the highest byte.
        let in_word = (special >> 7).wrapping_mul(0x0102_0408_1020_4080) >> 56;
        bits |= (in_word as u32) << (place * WORD);
    }
    bits
}

/// Sets the highest bit of each byte that is neither printable ASCII nor a tab, and no other bit.
fn special_bytes(word: u64) -> u64 {
    /// The value 1 in each byte.
    const ONES: u64 = u64::MAX / 0xff;
    const HIGHEST: u64 = 0x80 * ONES;
    // No sum below carries into the next byte.
    let low = word & !HIGHEST;
    let is_printable = low + (0x80 - 0x20) * ONES;
    let is_no_tab = (low ^ (0x09 * ONES)) + 0x7f * ONES;
    let is_delete = low + ONES;
    (word | !is_printable & is_no_tab | is_delete) & HIGHEST
}

/// A block, after the last three bytes before it.
pub type Window = [u8; CHARACTER - 1 + BLOCK];

/// Returns how many bytes of the window's block are printable UTF-8. Of the last character, more
/// bytes may follow the block.
pub fn printable_utf8_length(window: &Window) -> usize {
    if (0..BLOCK).fold(0, |any, at| any | utf8_error(window, at)) == 0 {
        return BLOCK;
    }
    let errors: [u8; BLOCK] = array::from_fn(|at| utf8_error(window, at));
    errors.iter().position(|&error| error != 0).unwrap_or(BLOCK)
}

/// Returns 0 if the byte at this place of the window's block can follow those before it, and the
/// character that it ends may be printable.
#[inline(always)]
fn utf8_error(window: &Window, at: usize) -> u8 {
    let mask = |condition: bool| if condition { 0xff } else { 0 };
    let [third, second, first, byte] = [window[at], window[at + 1], window[at + 2], window[at + 3]];
    let needs_more =
        first.saturating_sub(0xbf) | second.saturating_sub(0xdf) | third.saturating_sub(0xef);
    let is_continuation = (byte as i8) < -64;
    (mask(is_continuation) ^ mask(needs_more != 0))
        // U+0080 to U+009F, which are control characters; an encoding that is too long.
        | mask((first == 0xc2) | (first == 0xe0)) & mask(byte & 0x20 == 0)
        | mask(first == 0xf0) & mask(byte & 0x30 == 0)
        | mask(byte & 0xfe == 0xc0)
        // Surrogates; values beyond Unicode.
        | mask(first == 0xed) & byte & 0x20
        | mask(first == 0xf4) & byte & 0x30
        | byte.saturating_sub(0xf4)
        // ASCII's control characters.
        | mask(byte < b' ') & mask(byte != b'\t')
        | mask(byte == 0x7f)
}

/// Returns the length in bytes of a printable character that is not ASCII, or 0 if `bytes` begins
/// with another one, or with none. These are the well-formed byte sequences of the Unicode
/// Standard, without U+0080 to U+009F.
pub fn printable_length(bytes: &[u8]) -> usize {
    match *bytes {
        // Most bytes that are no text end here, by one branch.
        [first, second, ..] if !matches!(first, 0xc2..=0xf4) | !matches!(second, 0x80..=0xbf) => 0,
        [0xc2, 0xa0..=0xbf, ..] | [0xc3..=0xdf, _, ..] => 2,
        [0xe0, 0xa0..=0xbf, 0x80..=0xbf, ..]
        | [0xe1..=0xec | 0xee..=0xef, _, 0x80..=0xbf, ..]
        | [0xed, 0x80..=0x9f, 0x80..=0xbf, ..] => 3,
        [0xf0, 0x90..=0xbf, 0x80..=0xbf, 0x80..=0xbf, ..]
        | [0xf1..=0xf3, _, 0x80..=0xbf, 0x80..=0xbf, ..]
        | [0xf4, 0x80..=0x8f, 0x80..=0xbf, 0x80..=0xbf, ..] => 4,
        _ => 0,
    }
}
