//! Why foo can't serve.

#![forbid(unsafe_code)]

use super::stop;
use crate::daemon::{
    activation,
    catalog::{self, MessageId},
    journal::Lost,
};
use std::{fmt, io};

/// Why foo can't serve.
pub enum Error {
    /// systemd passed no sockets that foo can serve.
    Activation(activation::Error),
    /// A system call failed. The text completes "Unable to …".
    Kernel(&'static str, io::Error),
    /// The socket of this name has a permanent error.
    Socket(String, io::Error),
    /// A stop gave up, since the log accepted nothing for [`stop::TIMEOUT`].
    Stop(stop::Unlogged),
    /// This number of lines may have been lost, and the journal is not there for a report.
    Lost(usize),
}

impl Error {
    /// Returns what explains the error in the journal, if anything does.
    pub fn id(&self) -> Option<MessageId> {
        match self {
            Self::Activation(_) => Some(catalog::NO_SOCKET),
            Self::Kernel(..) => None,
            Self::Socket(..) => Some(catalog::SOCKET_FAILED),
            Self::Stop(_) => Some(catalog::NOT_LOGGED),
            Self::Lost(_) => Some(catalog::LOST),
        }
    }
}

impl fmt::Display for Error {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Activation(error) => error.fmt(f),
            Self::Kernel(what, error) => write!(f, "Unable to {what}: {error}"),
            Self::Socket(name, error) => {
                write!(
                    f,
                    "Unable to receive from {name} any more: {error}; restart its socket unit"
                )
            }
            Self::Stop(unlogged) => unlogged.fmt(f),
            Self::Lost(lost) => Lost(*lost).fmt(f),
        }
    }
}
