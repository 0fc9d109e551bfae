//! A server on a stream socket that systemd listens on: it starts with the first connection, and says each line
//! back.
//!
//! ```ini
//! # stream_socket.socket
//! [Socket]
//! ListenStream=/run/stream_socket
//!
//! [Install]
//! WantedBy=sockets.target
//!
//! # stream_socket.service
//! [Service]
//! Type=notify
//! ExecStart=/usr/local/bin/stream_socket
//! ```
//!
//! To try it here: `systemd-socket-activate --listen=/tmp/echo target/debug/examples/stream_socket`, and in
//! another terminal `socat - /tmp/echo`.

use foo::systemd::daemon::{ListenFd, NotifyState, listen_fds_with_names, notify};
use std::error::Error;
use std::io::{self, BufRead, BufReader, Write};
use std::os::unix::net::{UnixListener, UnixStream};
use std::thread;

fn main() -> Result<(), Box<dyn Error>> {
    // SAFETY: this is the first that the program does, so it has opened nothing.
    let passed = unsafe { listen_fds_with_names() }?;
    let [socket] = <[ListenFd; 1]>::try_from(passed).map_err(|passed| {
        format!(
            "{} sockets were passed, not one: start stream_socket.socket",
            passed.len()
        )
    })?;
    // An error, which says what the unit needs, if it is something else.
    let listener = UnixListener::try_from(socket)?;
    notify(&[NotifyState::READY])?;

    for (number, stream) in (1..).zip(listener.incoming()) {
        let stream = stream?;
        notify(&[NotifyState::status(&format!(
            "{number} connections so far"
        ))?])?;
        thread::spawn(move || echo(&stream));
    }
    Ok(())
}

/// Says each line back, until there are no more.
fn echo(mut stream: &UnixStream) -> io::Result<()> {
    for line in BufReader::new(stream).lines() {
        writeln!(stream, "{}", line?)?;
    }
    Ok(())
}
