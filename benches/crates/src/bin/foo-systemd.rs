//! foo on the crate systemd.

use std::{env, error::Error, os::fd::FromRawFd, os::unix::net::UnixDatagram, path::Path};
use systemd::daemon;

fn main() -> Result<(), Box<dyn Error>> {
    eprintln!("<6>Environment: ");
    for (name, value) in env::vars_os() {
        eprintln!("<6> {}={}", name.to_string_lossy(), value.to_string_lossy());
    }
    eprintln!("<5>foo service started");
    let fd = daemon::listen_fds()?.iter().next().ok_or("no socket was passed")?;
    // SAFETY: it was passed to this process, and nothing else takes it.
    let socket = unsafe { UnixDatagram::from_raw_fd(fd) };
    daemon::notify([(daemon::STATE_READY, "1")].iter())?;
    let mut buffer = vec![0; 256 * 1024];
    loop {
        let (size, sender) = socket.recv_from(&mut buffer)?;
        let name = sender.as_pathname().unwrap_or(Path::new("(unnamed)")).display();
        eprintln!(
            "<5>Received {size} bytes from {name}: {}",
            String::from_utf8_lossy(&buffer[..size])
        );
    }
}
