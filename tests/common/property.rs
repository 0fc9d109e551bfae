//! What holds for any datagram from any sender. The test `record` and the fuzzer share it.

use super::shown::{is_printable, line, name};
use foo::daemon::record::{Credentials, Record, Sender, fields};

pub fn record<'a>(
    credentials: Option<(u32, u32)>,
    sun_path: &'a [u8],
    truncated: usize,
    payload: &'a [u8],
) -> Record<'a> {
    Record {
        credentials: credentials.map(|(pid, uid)| Credentials { pid, uid }),
        unit: None,
        sender: Sender::from_sun_path(sun_path),
        length: payload.len() + truncated,
        payload,
    }
}

/// Returns the fields of the entry that foo logs with `--fields`.
pub fn rendered_fields(record: &Record<'_>) -> Vec<Vec<u8>> {
    let mut bytes = Vec::new();
    record.render_fields(&mut bytes);
    fields(&bytes).map(<[u8]>::to_vec).collect()
}

/// Fails unless the datagram becomes one line, as a second implementation renders it, and fields
/// none of which the sender adds.
pub fn holds(credentials: Option<(u32, u32)>, sun_path: &[u8], truncated: usize, payload: &[u8]) {
    let record = record(credentials, sun_path, truncated, payload);
    let mut got = b"<5>".to_vec();
    record.render(&mut got);
    let got = String::from_utf8(got).expect("a line is UTF-8");
    assert!(got.chars().all(is_printable), "{got:?}");
    assert_eq!(got, format!("<5>{}", line(credentials, &name(sun_path), truncated, payload)));
    let fields = rendered_fields(&record);
    let (last, rest) = fields.split_last().unwrap();
    assert_eq!(last, &[b"FOO_PAYLOAD=", payload].concat());
    let count = 1 + usize::from(!sun_path.is_empty()) + 2 * usize::from(credentials.is_some());
    assert_eq!(rest.len(), count, "{fields:?}");
}
