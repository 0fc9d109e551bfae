//! foo on the crates sd-notify and listenfd.

use listenfd::ListenFd;
use sd_notify::NotifyState;
use std::{env, error::Error, path::Path};

fn main() -> Result<(), Box<dyn Error>> {
    eprintln!("<6>Environment: ");
    for (name, value) in env::vars_os() {
        eprintln!("<6> {}={}", name.to_string_lossy(), value.to_string_lossy());
    }
    eprintln!("<5>foo service started");
    let socket = ListenFd::from_env().take_unix_datagram(0)?.ok_or("no socket was passed")?;
    sd_notify::notify(&[NotifyState::Ready])?;
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
