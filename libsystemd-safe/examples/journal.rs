//! Writes two kinds of journal entries: one with fields of its own, and lines of a stream.
//!
//! `journalctl --output=verbose --identifier=journal` shows the first, and `journalctl
//! --identifier=example` the lines.

use libsystemd_safe::journal::{Entry, Priority, stream_fd};
use std::fs::File;
use std::io::{self, Write};

fn main() -> io::Result<()> {
    // A message of two lines stays one entry, and a value may contain any bytes.
    Entry::new(Priority::Warning, "two\nlines")
        .located()
        .errno(&io::Error::from_raw_os_error(libc::ENOENT))
        .field("EXAMPLE_RAW", [0, b'\n', 0xff])?
        .field("EXAMPLE_ID", "1")?
        .field("EXAMPLE_ID", "2")?
        .send()?;

    let mut stream = File::from(stream_fd(c"example", Priority::Info)?);
    writeln!(stream, "a line\n{}an error", Priority::Err.prefix())
}
