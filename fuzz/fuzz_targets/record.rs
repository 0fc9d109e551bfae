//! Any datagram from any sender becomes one line, which shows its length, sender and text.

#![no_main]

#[path = "../../tests/common/shown.rs"]
mod shown;

use arbitrary::Arbitrary;
use foo::daemon::record::{Credentials, Record, Sender};
use libfuzzer_sys::fuzz_target;
use shown::{is_printable, line, name};

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
    let truncated = input.truncated.into();
    let mut got = b"<5>".to_vec();
    Record {
        credentials: input.credentials.map(|(pid, uid)| Credentials { pid, uid }),
        unit: None,
        sender: Sender::from_sun_path(sun_path),
        length: input.payload.len() + truncated,
        payload: input.payload,
    }
    .render(&mut got);
    let got = String::from_utf8(got).expect("a line is UTF-8");
    assert!(got.chars().all(is_printable), "{got:?}");
    let want = line(input.credentials, &name(sun_path), truncated, input.payload);
    assert_eq!(got, format!("<5>{want}"));
});
