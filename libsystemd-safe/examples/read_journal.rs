//! Prints the messages of a unit, and then those that it logs from now on, as `journalctl
//! --output=cat --lines=all --follow --unit=UNIT` does. Arguments of the form `FIELD=value` choose
//! among them. Of a message that `foo --fields` has logged, it prints the bytes that the sender sent.
//!
//! ```sh
//! target/debug/examples/read_journal foo.service
//! target/debug/examples/read_journal foo.service FOO_SENDER_UID=1000 FOO_SENDER_UID=1001
//! target/debug/examples/read_journal foo.service /var/lib/machines/example  # in a container
//! ```

use libsystemd_safe::journal::{OpenFlags, Reader};
use nix::errno::Errno;
use nix::poll::{PollFd, PollFlags, PollTimeout, poll};
use std::env;
use std::error::Error;
use std::io::{self, Write};
use std::time::Duration;

fn main() -> Result<(), Box<dyn Error>> {
    let mut arguments = env::args().skip(1);
    let unit = arguments.next().ok_or("usage: read_journal UNIT [ROOT] [FIELD=value]...")?;
    let (matches, roots): (Vec<_>, Vec<_>) = arguments.partition(|argument| argument.contains('='));
    let mut reader = match roots.first() {
        Some(root) => Reader::open_directory(root, OpenFlags::OS_ROOT)?,
        None => Reader::open(OpenFlags::LOCAL_ONLY)?,
    };
    // What the unit's processes log, and what the service manager logs about the unit.
    reader.add_match("_SYSTEMD_UNIT", &unit)?;
    reader.add_disjunction()?;
    reader.add_match("UNIT", &unit)?;
    reader.add_match("_PID", "1")?;
    reader.add_conjunction()?;
    for (field, value) in matches.iter().filter_map(|argument| argument.split_once('=')) {
        reader.add_match(field, value)?;
    }

    // This begins to watch the journal. So `wait` also sees what changes while the loop reads.
    reader.fd()?;
    let mut stdout = io::stdout().lock();
    loop {
        while reader.next()? {
            let field =
                if reader.data(c"FOO_PAYLOAD")?.is_some() { c"FOO_PAYLOAD" } else { c"MESSAGE" };
            if let Some(bytes) = reader.data(field)? {
                stdout.write_all(bytes)?;
                stdout.write_all(b"\n")?;
            }
        }
        wait(&reader)?;
        reader.process()?;
    }
}

/// Waits until the journal changes. An event loop waits for other things, too.
fn wait(reader: &Reader) -> io::Result<()> {
    let events = PollFlags::from_bits_truncate(reader.events()?);
    let timeout = match reader.timeout()? {
        // A millisecond more, since poll(2) rounds down.
        Some(timeout) => PollTimeout::try_from(timeout + Duration::from_millis(1)),
        None => Ok(PollTimeout::NONE),
    };
    let timeout = timeout.unwrap_or(PollTimeout::MAX);
    match poll(&mut [PollFd::new(reader.fd()?, events)], timeout) {
        Ok(_) | Err(Errno::EINTR) => Ok(()),
        Err(error) => Err(error.into()),
    }
}
