//! The file of a socket that has a path. If it is removed or replaced, senders no longer reach the
//! socket, and nothing else shows that.

#![forbid(unsafe_code)]

use super::escape::escape;
use std::{
    fs,
    io::ErrorKind,
    os::unix::{ffi::OsStrExt, fs::MetadataExt, net::UnixDatagram},
    path::{Path, PathBuf},
};

/// The path of a socket, and the device and inode of its file when foo started.
#[derive(Debug)]
pub struct SocketFile {
    path: PathBuf,
    id: (u64, u64),
}

impl SocketFile {
    /// Returns the file of a socket. Returns `None` if it has no path, or if foo can't see the file,
    /// as with a root directory of its own.
    pub fn of(socket: &UnixDatagram) -> Option<Self> {
        let path = socket.local_addr().ok()?.as_pathname()?.to_owned();
        let id = id(&path).ok()??;
        Some(Self { path, id })
    }

    /// Returns what to show in the status if the file is gone, or is another one.
    pub fn status(&self) -> Option<String> {
        let now = id(&self.path).ok()?;
        if now == Some(self.id) {
            return None;
        }
        let what = if now.is_some() { "belongs to another socket" } else { "is gone" };
        let mut path = Vec::new();
        escape(self.path.as_os_str().as_bytes(), &mut path);
        let path = String::from_utf8_lossy(&path);
        Some(format!("{path} {what}, restart its socket unit"))
    }
}

/// Returns the device and inode of a file; `None` if there is no such file.
fn id(path: &Path) -> Result<Option<(u64, u64)>, ErrorKind> {
    match fs::symlink_metadata(path) {
        Ok(data) => Ok(Some((data.dev(), data.ino()))),
        Err(error) if error.kind() == ErrorKind::NotFound => Ok(None),
        Err(error) => Err(error.kind()),
    }
}
