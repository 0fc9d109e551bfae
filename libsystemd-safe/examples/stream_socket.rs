//! An echo server on a stream socket that systemd listens on. The first connection starts it.
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
//! To try it without the units:
//!
//! ```sh
//! systemd-socket-activate --listen=/tmp/echo target/debug/examples/stream_socket
//! socat - /tmp/echo       # in another terminal
//! ```

use libsystemd_safe::daemon::{ListenFd, NotifyState, listen_fds_with_names, notify};
use std::error::Error;
use std::io::{self, BufRead, BufReader, Write};
use std::os::unix::net::{UnixListener, UnixStream};
use std::thread;

fn main() -> Result<(), Box<dyn Error>> {
    let passed = listen_fds_with_names()?;
    let [socket] = <[ListenFd; 1]>::try_from(passed).map_err(|passed| {
        format!("{} sockets were passed, not one: start stream_socket.socket", passed.len())
    })?;
    // If it is another kind of descriptor, the error says which setting the unit needs.
    let listener = UnixListener::try_from(socket)?;
    notify(&[NotifyState::READY])?;

    for (number, stream) in (1..).zip(listener.incoming()) {
        let stream = stream?;
        notify(&[NotifyState::status(&format!("{number} connections so far"))?])?;
        thread::spawn(move || echo(&stream));
    }
    Ok(())
}

/// Sends each line back, until the client closes the connection.
fn echo(mut stream: &UnixStream) -> io::Result<()> {
    for line in BufReader::new(stream).lines() {
        writeln!(stream, "{}", line?)?;
    }
    Ok(())
}
