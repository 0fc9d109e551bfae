//! Makes the descriptors, logs and senders of a case.

use crate::common::setup::Setup;
use crate::common::{TempDir, journal_is_here, patient, persist, sys};
use crate::plan::{From, Log, Message, Passed};
use crate::shown::{shown, text};
use nix::unistd::getuid;
use std::ffi::OsStr;
use std::fs::{self, File, OpenOptions};
use std::os::fd::OwnedFd;
use std::os::linux::net::SocketAddrExt;
use std::os::unix::ffi::OsStrExt;
use std::os::unix::fs::OpenOptionsExt;
use std::os::unix::net::{SocketAddr, UnixDatagram, UnixListener, UnixStream};
use std::time::Duration;

/// Where messages are sent.
pub enum Target {
    To(SocketAddr),
    /// An address whose socket asks for the sender's credentials.
    ToKnow(SocketAddr),
    /// The other end of a pair.
    Other(UnixDatagram),
    Nowhere,
}

/// The descriptor to pass, and where to send its messages.
pub fn pass(passed: Passed, number: usize, dir: &TempDir) -> (OwnedFd, Target) {
    let name = format!("passed-{number}");
    let path = dir.join(&name);
    let open = |options: &mut OpenOptions| OwnedFd::from(options.open(&path).unwrap());
    let file = || open(File::options().read(true).write(true).create(true));
    let bound = || {
        let socket = UnixDatagram::bind(&path).unwrap();
        (socket, Target::To(SocketAddr::from_pathname(&path).unwrap()))
    };
    let other = match passed {
        Passed::Bound
        | Passed::Nonblocking
        | Passed::Credentials
        | Passed::Impatient
        | Passed::ShutDown => {
            let (socket, target) = bound();
            match passed {
                Passed::Nonblocking => socket.set_nonblocking(true).unwrap(),
                Passed::Credentials => sys::ask_for_credentials(&socket).unwrap(),
                Passed::Impatient => {
                    socket.set_read_timeout(Some(Duration::from_micros(1))).unwrap()
                }
                Passed::ShutDown => socket.shutdown(std::net::Shutdown::Read).unwrap(),
                _ => {}
            }
            let target = match target {
                Target::To(address) if passed == Passed::Credentials => Target::ToKnow(address),
                target => target,
            };
            return (socket.into(), target);
        }
        Passed::Abstract => {
            let address = SocketAddr::from_abstract_name(path.as_os_str().as_bytes()).unwrap();
            return (UnixDatagram::bind_addr(&address).unwrap().into(), Target::To(address));
        }
        Passed::Pair => {
            let (ours, other) = UnixDatagram::pair().unwrap();
            return (ours.into(), Target::Other(patient(other)));
        }
        Passed::Socket(family, kind) => sys::socket(family, kind).unwrap_or_else(|_| file()),
        Passed::Listening => UnixListener::bind(path).unwrap().into(),
        Passed::Stream => UnixStream::pair().unwrap().0.into(),
        Passed::File => file(),
        Passed::ReadOnlyFile => {
            fs::write(&path, "").unwrap();
            open(File::options().read(true))
        }
        Passed::Directory => File::open(dir.path()).unwrap().into(),
        Passed::PathOnly => {
            fs::write(&path, "").unwrap();
            open(File::options().read(true).custom_flags(libc::O_PATH))
        }
        Passed::ReadEnd => nix::unistd::pipe().unwrap().0,
        Passed::WriteEnd => nix::unistd::pipe().unwrap().1,
        Passed::Null => File::open("/dev/null").unwrap().into(),
        Passed::Full => File::options().write(true).open("/dev/full").unwrap().into(),
    };
    (other, Target::Nowhere)
}

/// Gives the daemon this log.
pub fn log(setup: Setup, log: &Log) -> Setup {
    let path = setup.dir().join("log");
    let append = || File::options().append(true).create(true).open(&path).unwrap();
    match log {
        Log::Read => setup,
        Log::Closed => setup.log_closed(),
        Log::File => setup.log_to(append()),
        // The journal of this machine would take what is longer than a line.
        Log::Journal if journal_is_here() => setup.log_to(append()),
        Log::Journal => setup.log_to_journal(append()),
        Log::ReadOnlyFile => {
            append();
            setup.log_to(File::open(path).unwrap())
        }
        Log::Full => setup.log_to(File::options().write(true).open("/dev/full").unwrap()),
        Log::Null => setup.log_to(File::options().write(true).open("/dev/null").unwrap()),
        Log::Broken => setup.log_to(UnixStream::pair().unwrap().0),
    }
}

/// Sends a message and returns its expected line.
pub fn send(message: &Message, number: usize, target: &Target, dir: &TempDir) -> String {
    let Message { from, payload, attached, credentials, .. } = message;
    let null = || OwnedFd::from(File::open("/dev/null").unwrap());
    let attached: Vec<_> = (0..*attached).map(|_| null()).collect();
    let send = |socket: &UnixDatagram| {
        persist(|| sys::send_with(socket, payload, &attached, *credentials)).unwrap();
    };
    let name = match target {
        Target::Other(socket) => {
            send(socket);
            "(unnamed)".into()
        }
        Target::To(address) | Target::ToKnow(address) => {
            let (socket, name) = sender(from, number, dir);
            let socket = patient(socket);
            socket.connect_addr(address).unwrap();
            send(&socket);
            name
        }
        Target::Nowhere => unreachable!("only sockets that foo serves get messages"),
    };
    let who = match target {
        Target::ToKnow(_) => format!(" (pid {}, uid {})", std::process::id(), getuid()),
        _ => String::new(),
    };
    format!("<5>Received {} bytes{who} from {name}: {}", payload.len(), shown(text(payload)))
}

/// A sender's socket, and its name as the log shows it.
fn sender(from: &From, number: usize, dir: &TempDir) -> (UnixDatagram, String) {
    let base = dir.join(&format!("{number}-"));
    let named = |bytes: &[u8]| [base.as_os_str().as_bytes(), bytes].concat();
    match from {
        From::Path(bytes) => {
            let mut path = named(bytes);
            path.truncate(107);
            let base = base.as_os_str().len();
            path[base..]
                .iter_mut()
                .filter(|byte| matches!(byte, b'/' | 0))
                .for_each(|byte| *byte = b'_');
            (UnixDatagram::bind(OsStr::from_bytes(&path)).unwrap(), shown(&path))
        }
        From::Abstract(bytes) => {
            let mut name = named(bytes);
            name.truncate(107);
            let address = SocketAddr::from_abstract_name(&name).unwrap();
            (UnixDatagram::bind_addr(&address).unwrap(), format!("@{}", shown(&name)))
        }
        From::Nobody => (UnixDatagram::unbound().unwrap(), "(unnamed)".into()),
    }
}
