//! Any datagram from any sender becomes one line, which shows its length, sender and text, and fields.

#![no_main]

#[path = "../../tests/common/property.rs"]
#[allow(dead_code, reason = "tests use the rest")]
mod property;
#[path = "../../tests/common/shown.rs"]
#[allow(dead_code, reason = "tests use the rest")]
mod shown;

use arbitrary::Arbitrary;
use libfuzzer_sys::fuzz_target;

#[derive(Arbitrary, Debug)]
struct Input<'a> {
    /// The process and the user, if the socket passes them.
    credentials: Option<(u32, u32)>,
    /// The sender's address, as the kernel returns it.
    sun_path: &'a [u8],
    /// How many bytes of the datagram were truncated.
    truncated: u16,
    payload: &'a [u8],
}

fuzz_target!(|input: Input| {
    let sun_path = &input.sun_path[..input.sun_path.len().min(108)];
    property::holds(input.credentials, sun_path, input.truncated.into(), input.payload);
});
