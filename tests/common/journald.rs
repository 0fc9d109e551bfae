//! Stands in for journald: its two sockets, in a directory that the daemon has in the place of
//! journald's. The test decides what is read, and when.

use super::daemon::Daemon;
use super::setup::Setup;
use super::{
    DEADLINE, TempDir, can_enter, eventually, fill, in_place_of_journald, patient, persist, queue,
    skip,
};
use std::fs;
use std::io::{ErrorKind, Read};
use std::net::Shutdown;
use std::os::unix::net::{UnixDatagram, UnixListener, UnixStream};

/// The two sockets of journald. Both are bound in `dir`.
pub struct Journald {
    pub dir: TempDir,
    pub streams: UnixListener,
    pub queue: UnixDatagram,
}

/// journald's end of a stream.
pub struct Stream(pub UnixStream);

/// Returns the text of an entry of one line.
pub fn message(entry: &str) -> Option<&str> {
    entry.lines().find_map(|field| field.strip_prefix("MESSAGE="))
}

/// Returns the next datagram of a queue.
pub fn receive(queue: &UnixDatagram) -> Vec<u8> {
    let mut buffer = vec![0; 600_000];
    let size = persist(|| queue.recv(&mut buffer)).unwrap();
    buffer.truncate(size);
    buffer
}

impl Journald {
    /// Takes journald's place. Returns `None`, with a line that says why, if that is impossible
    /// here.
    pub fn new(test: &str) -> Option<Self> {
        let journald = Self::listen();
        can_enter(&in_place_of_journald(journald.dir.path()), test).then_some(journald)
    }

    /// The same, if its queue has room for some entries and what foo sends behind them.
    pub fn with_room(test: &str) -> Option<Self> {
        let journald = Self::new(test)?;
        if queue() < 8 {
            skip(test, "net.unix.max_dgram_qlen is too low for some entries");
            return None;
        }
        Some(journald)
    }

    /// Listens, even if no daemon can have it in the place of journald here.
    pub fn listen() -> Self {
        let dir = TempDir::new();
        Self {
            streams: UnixListener::bind(dir.join("stdout")).unwrap(),
            queue: patient(dir.socket("socket")),
            dir,
        }
    }

    /// Closes the queue with its contents, and creates another.
    pub fn renew_queue(&mut self) {
        self.close_queue();
        fs::remove_file(self.dir.join("socket")).unwrap();
        self.queue = patient(self.dir.socket("socket"));
    }

    /// Closes the queue with its contents. Its file stays.
    pub fn close_queue(&mut self) {
        self.queue = UnixDatagram::unbound().unwrap();
        // A program started by another test may hold it for a moment.
        eventually("nobody has the queue", || {
            let sender = UnixDatagram::unbound().unwrap();
            sender.connect(self.dir.join("socket")).is_err().then_some(())
        });
    }

    /// Closes both sockets, as a journald that stops.
    pub fn stop(&mut self, stream: Stream) {
        self.close_queue();
        for name in ["socket", "stdout"] {
            fs::remove_file(self.dir.join(name)).unwrap();
        }
        stream.close();
    }

    /// Accepts streams again after a stop. Returns the first, which the daemon opens.
    pub fn start(&mut self) -> Stream {
        self.streams = UnixListener::bind(self.dir.join("stdout")).unwrap();
        self.accept_opened()
    }

    /// Fills the queue. Returns the number of datagrams that it took.
    pub fn fill(&self) -> usize {
        fill(&self.dir.join("socket"), b"filler")
    }

    /// Reads what [`Journald::fill`] sent.
    pub fn drain(&self, count: usize) {
        (0..count).for_each(|_| assert_eq!(self.datagram(), "filler"));
    }

    /// Opens a stream, as the service manager does for a service.
    pub fn connect(&self) -> UnixStream {
        UnixStream::connect(self.dir.join("stdout")).unwrap()
    }

    /// Gives a daemon this journald, and a stream to it as its log.
    pub fn serve(&self, setup: Setup, stream: UnixStream) -> Setup {
        setup.log_to_journal(stream).under(in_place_of_journald(self.dir.path()))
    }

    /// Returns a daemon that is ready and logs to a stream to this journald. The start-up lines are
    /// read.
    pub fn ready(&self, setup: Setup) -> (Daemon, Stream) {
        self.ready_with(setup, self.connect())
    }

    /// The same with this stream.
    pub fn ready_with(&self, setup: Setup, ours: UnixStream) -> (Daemon, Stream) {
        let mut stream = self.accept();
        let daemon = self.serve(setup, ours).ready();
        while stream.line() != "<5> foo.socket" {}
        (daemon, stream)
    }

    /// Returns the next stream.
    pub fn accept(&self) -> Stream {
        self.streams.set_nonblocking(true).unwrap();
        let (stream, _) = eventually("a stream", || self.streams.accept().ok());
        stream.set_read_timeout(Some(DEADLINE)).unwrap();
        Stream(stream)
    }

    /// Returns the stream that the daemon opens after it lost one.
    pub fn accept_opened(&self) -> Stream {
        let mut stream = self.accept();
        // The header: identifier, unit, priority, level prefix, and three further destinations.
        let header: Vec<_> = (0..7).map(|_| stream.line()).collect();
        assert_eq!(header, ["foo", "", "5", "1", "0", "0", "0"]);
        stream
    }

    /// Returns the next datagram: an entry, or the empty mark behind several.
    pub fn datagram(&self) -> String {
        String::from_utf8(self.bytes()).unwrap()
    }

    /// The same as bytes.
    pub fn bytes(&self) -> Vec<u8> {
        receive(&self.queue)
    }

    /// Returns the next entry.
    pub fn entry(&self) -> String {
        loop {
            match self.datagram() {
                mark if mark.is_empty() => {}
                entry => return entry,
            }
        }
    }

    /// Returns whether the queue is empty.
    pub fn is_empty(&self) -> bool {
        self.queue.set_nonblocking(true).unwrap();
        let result = self.queue.recv(&mut [0]);
        self.queue.set_nonblocking(false).unwrap();
        result.is_err_and(|error| error.kind() == ErrorKind::WouldBlock)
    }
}

impl Stream {
    /// Closes it, even if a program started by another test holds it for a moment.
    pub fn close(self) {
        self.0.shutdown(Shutdown::Both).unwrap();
    }

    /// Returns the next line.
    pub fn line(&mut self) -> String {
        let mut line = Vec::new();
        loop {
            let mut byte = [0];
            persist(|| self.0.read_exact(&mut byte)).unwrap();
            match byte {
                [b'\n'] => return String::from_utf8(line).unwrap(),
                [byte] => line.push(byte),
            }
        }
    }

    /// Returns whether nothing is left to read but empty lines, which show foo that journald reads.
    pub fn is_empty(&mut self) -> bool {
        let mut bytes = Vec::new();
        self.0.set_nonblocking(true).unwrap();
        let result = self.0.read_to_end(&mut bytes);
        self.0.set_nonblocking(false).unwrap();
        bytes.iter().all(|&byte| byte == b'\n')
            && result.is_err_and(|error| error.kind() == ErrorKind::WouldBlock)
    }
}
