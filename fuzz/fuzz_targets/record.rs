//! A datagram, whatever is in it and whoever sent it, becomes one line that says nothing but what it was.

#![no_main]

#[path = "../../tests/common/shown.rs"]
mod shown;

use arbitrary::Arbitrary;
use foo::record::{Credentials, Record, Sender};
use libfuzzer_sys::fuzz_target;
use shown::{is_printable, shown, text};

#[derive(Arbitrary, Debug)]
struct Input<'a> {
    /// The process and the user, if the socket asks for them.
    credentials: Option<(u32, u32)>,
    /// What the kernel gave for the sender's address.
    sun_path: &'a [u8],
    /// How many bytes more were sent than could be held.
    cut: u16,
    payload: &'a [u8],
}

fuzz_target!(|input: Input| {
    let sun_path = &input.sun_path[..input.sun_path.len().min(108)];
    let length = input.payload.len() + usize::from(input.cut);
    let mut line = b"<5>".to_vec();
    let credentials = input.credentials.map(|(pid, uid)| Credentials { pid, uid });
    let sender = Sender::from_sun_path(sun_path);
    Record {
        credentials,
        sender,
        length,
        payload: input.payload,
    }
    .render(&mut line);
    let line = String::from_utf8(line).expect("a line is UTF-8");

    assert!(line.chars().all(is_printable), "{line:?}");
    let said = line
        .strip_prefix("<5>Received ")
        .expect("no second priority can stand here");
    let cut = if input.cut > 0 {
        format!(", {} of them cut", input.cut)
    } else {
        String::new()
    };
    // Where it was cut, its last byte is not its end.
    let text = if input.cut == 0 {
        text(input.payload)
    } else {
        input.payload
    };
    let who = input
        .credentials
        .map_or_else(String::new, |(pid, uid)| format!(" (pid {pid}, uid {uid})"));
    assert_eq!(
        said,
        format!(
            "{length} bytes{who} from {}{cut}: {}",
            name(sun_path),
            shown(text)
        )
    );
});

/// The sender's name, as unix(7) has it.
fn name(sun_path: &[u8]) -> String {
    match sun_path {
        [] => "(unnamed)".into(),
        [0, name @ ..] => format!("@{}", shown(name)),
        path => shown(path.split(|&byte| byte == 0).next().unwrap_or_default()),
    }
}
