//! Runs the client in a directory of its own.

use super::{TempDir, assert_words, eventually, fill, foocl, patient, persist, state};
use std::ffi::{OsStr, OsString};
use std::fs::{self, File};
use std::os::unix::fs::DirBuilderExt;
use std::os::unix::net::UnixDatagram;
use std::path::PathBuf;
use std::process::{Child, Command, Stdio};

/// A directory with the socket that the test reads, and `run`, in which foocl binds its own.
pub struct Place {
    pub dir: TempDir,
    pub receiver: UnixDatagram,
}

/// The exit status and output of a foocl.
pub struct End {
    pub code: Option<i32>,
    pub out: Vec<u8>,
    pub err: String,
}

impl Place {
    pub fn new() -> Self {
        let dir = TempDir::new();
        fs::DirBuilder::new().mode(0o700).create(dir.join("run")).unwrap();
        let receiver = patient(dir.socket("foo.socket"));
        Self { dir, receiver }
    }

    /// foocl with this command line and no input.
    pub fn bare<S: AsRef<OsStr>>(&self, args: impl IntoIterator<Item = S>) -> Command {
        let mut command = self.program(foocl());
        command.args(args);
        command
    }

    /// A program whose output goes to files here. Its environment has only `XDG_RUNTIME_DIR`.
    pub fn program(&self, program: impl AsRef<OsStr>) -> Command {
        let mut command = Command::new(program);
        let file = |name| File::create(self.dir.join(name)).unwrap();
        command.stdin(Stdio::null()).stdout(file("out")).stderr(file("err"));
        command.env_clear().env("XDG_RUNTIME_DIR", self.dir.join("run"));
        command
    }

    /// foocl that sends to the test's socket.
    pub fn foocl<S: AsRef<OsStr>>(&self, args: impl IntoIterator<Item = S>) -> Command {
        let socket = self.dir.join("foo.socket");
        let socket = [OsString::from("--socket"), socket.into()];
        let args = args.into_iter().map(|arg| arg.as_ref().to_owned());
        self.bare(socket.into_iter().chain(args))
    }

    /// foocl with these bytes as its input.
    pub fn reading(&self, input: &[u8]) -> Command {
        fs::write(self.dir.join("in"), input).unwrap();
        let mut command = self.foocl(["-"]);
        command.stdin(File::open(self.dir.join("in")).unwrap());
        command
    }

    pub fn end(&self, mut child: Child) -> End {
        let status = eventually("foocl ends", || child.try_wait().unwrap());
        let err = fs::read(self.dir.join("err")).unwrap();
        End {
            code: status.code(),
            out: fs::read(self.dir.join("out")).unwrap(),
            err: String::from_utf8(err).unwrap(),
        }
    }

    pub fn run(&self, mut command: Command) -> End {
        self.end(command.spawn().unwrap())
    }

    /// The next message, and the path of its sender.
    pub fn received(&self) -> (Vec<u8>, Option<PathBuf>) {
        let mut buffer = vec![0; 1 << 20];
        let (size, sender) = persist(|| self.receiver.recv_from(&mut buffer)).unwrap();
        buffer.truncate(size);
        (buffer, sender.as_pathname().map(Into::into))
    }

    /// Fills the queue, and returns the number of datagrams.
    pub fn fill(&self) -> usize {
        fill(&self.dir.join("foo.socket"), b"")
    }

    /// Waits until foocl has printed what it sends and sleeps because the queue is full.
    pub fn waits(&self, child: &Child) {
        eventually("foocl waits", || {
            let said = fs::read(self.dir.join("out")).unwrap();
            (said == b"sending hello\n" && state(child.id()) == 'S').then_some(())
        });
    }

    /// The files in foocl's directory.
    pub fn left(&self) -> Vec<PathBuf> {
        let entries = fs::read_dir(self.dir.join("run")).unwrap();
        let mut paths: Vec<_> = entries.map(|entry| entry.unwrap().path()).collect();
        paths.sort();
        paths
    }
}

impl End {
    #[track_caller]
    pub fn assert_ok(&self, case: &str) {
        assert_eq!((self.code, self.err.as_str()), (Some(0), ""), "{case}");
    }

    /// Fails unless foocl exited with this code and an error that contains all words.
    #[track_caller]
    pub fn assert_error(&self, case: &str, code: i32, words: &[&str]) {
        assert_eq!(self.code, Some(code), "{case}: {}", self.err);
        assert!(self.err.starts_with("foocl: "), "{case}: {}", self.err);
        assert_words(case, &self.err, words);
    }
}
