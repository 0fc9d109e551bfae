//! Any datagram from any sender becomes one line, which shows its length, sender and text.

#![no_main]

#[path = "../../tests/common/shown.rs"]
mod shown;

use arbitrary::Arbitrary;
use foo::record::{Credentials, Record, Sender};
use libfuzzer_sys::fuzz_target;
use shown::{is_printable, shown, text};

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
    let length = input.payload.len() + usize::from(input.truncated);
    let mut line = b"<5>".to_vec();
    let credentials = input.credentials.map(|(pid, uid)| Credentials { pid, uid });
    let sender = Sender::from_sun_path(sun_path);
    Record { credentials, sender, length, payload: input.payload }.render(&mut line);
    let line = String::from_utf8(line).expect("a line is UTF-8");

    assert!(line.chars().all(is_printable), "{line:?}");
    let after_priority =
        line.strip_prefix("<5>Received ").expect("no second priority can stand here");
    let cut = if input.truncated > 0 {
        format!(", {} of them cut", input.truncated)
    } else {
        String::new()
    };
    // The last byte of a truncated datagram is not its end.
    let text = if input.truncated == 0 { text(input.payload) } else { input.payload };
    let who =
        input.credentials.map_or_else(String::new, |(pid, uid)| format!(" (pid {pid}, uid {uid})"));
    assert_eq!(
        after_priority,
        format!("{length} bytes{who} from {}{cut}: {}", name(sun_path), shown(text))
    );
});

/// Returns the sender's name, see unix(7).
fn name(sun_path: &[u8]) -> String {
    match sun_path {
        [] => "(unnamed)".into(),
        [0, name @ ..] => format!("@{}", shown(name)),
        path => shown(path.split(|&byte| byte == 0).next().unwrap_or_default()),
    }
}
