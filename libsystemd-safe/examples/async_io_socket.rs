//! Answers each connection with a line, with async-io. The first connection starts it.
//!
//! The units are those of `stream_socket`, with another name.

use async_io::{Async, block_on};
use libsystemd_safe::daemon::{ListenFd, NotifyState, listen_fds_with_names, try_notify};
use std::{error::Error, io::Write, os::unix::net::UnixListener};

fn main() -> Result<(), Box<dyn Error>> {
    let passed = listen_fds_with_names()?;
    let [socket] = <[ListenFd; 1]>::try_from(passed).map_err(|passed| {
        format!("{} sockets were passed, not one: start async_io_socket.socket", passed.len())
    })?;
    let listener = Async::new_nonblocking(UnixListener::try_from(socket.nonblocking()?)?)?;
    try_notify(&[NotifyState::READY])?;
    block_on(async {
        loop {
            let (stream, _) = listener.accept().await?;
            // The client may have closed the connection already, so the service goes on.
            let _ = stream.write_with(|mut stream| stream.write_all(b"Hello\n")).await;
        }
    })
}
