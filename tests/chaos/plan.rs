//! The parts of a random case, and its expected outcome.

use proptest::prelude::*;
use proptest::sample::select;

/// A daemon's start, its senders and its end.
#[derive(Debug)]
pub struct Case {
    pub passed: Vec<Passed>,
    pub names: Vec<String>,
    /// A variable about the descriptors that is wrong or unset.
    pub fault: Option<(&'static str, Option<String>)>,
    pub notify: Notify,
    pub watchdog: Vec<(&'static str, String)>,
    pub log: Log,
    pub variables: Vec<Vec<u8>>,
    pub messages: Vec<Message>,
    pub reloads: bool,
}

/// A descriptor that is passed.
#[derive(Clone, Copy, Debug, PartialEq)]
pub enum Passed {
    Bound,
    Abstract,
    Pair,
    /// With `O_NONBLOCK`, which the test's own copy shares.
    Nonblocking,
    /// Asks for the credentials of senders.
    Credentials,
    /// Has a receive timeout.
    Impatient,
    ShutDown,
    /// A socket of this family and type, which foo refuses. A file if the kernel has no such
    /// socket.
    Socket(i32, i32),
    Listening,
    Stream,
    File,
    ReadOnlyFile,
    Directory,
    PathOnly,
    ReadEnd,
    WriteEnd,
    Null,
    Full,
}

/// What `NOTIFY_SOCKET` is.
#[derive(Clone, Debug, PartialEq)]
pub enum Notify {
    Path,
    Abstract,
    Nobody,
    Wrong(String),
}

/// What standard error is.
#[derive(Clone, Debug, PartialEq)]
pub enum Log {
    /// A pipe that the test reads.
    Read,
    File,
    /// A file that `JOURNAL_STREAM` names as the journal's stream.
    Journal,
    ReadOnlyFile,
    Full,
    Null,
    Closed,
    /// A socket whose other end is closed.
    Broken,
}

/// A datagram, and who sends it.
#[derive(Debug)]
pub struct Message {
    pub to: usize,
    pub from: From,
    pub payload: Vec<u8>,
    /// How many descriptors are attached.
    pub attached: usize,
    pub credentials: bool,
}

/// The name of a sender's socket.
#[derive(Clone, Debug)]
pub enum From {
    Path(Vec<u8>),
    Abstract(Vec<u8>),
    Nobody,
}

/// The expected outcome of a case.
#[derive(Clone, Copy, Debug, PartialEq)]
pub enum Outcome {
    /// Serves until it is stopped.
    Serves,
    /// Exits without becoming ready.
    Refuses,
    /// Exits because a socket has failed.
    GivesUp,
}

impl Passed {
    /// Whether foo has to accept it.
    fn is_good(self) -> bool {
        use Passed::*;
        matches!(self, Bound | Abstract | Pair | Nonblocking | Credentials | Impatient | ShutDown)
    }
}

impl Case {
    pub fn outcome(&self) -> Outcome {
        if self.fault.is_some()
            || self.passed.is_empty()
            || !self.passed.iter().all(|passed| passed.is_good())
        {
            return Outcome::Refuses;
        }
        if self.passed.contains(&Passed::ShutDown) { Outcome::GivesUp } else { Outcome::Serves }
    }
}

/// Any case.
pub fn case() -> impl Strategy<Value = Case> {
    let start = prop::collection::vec((passed(), "[^:\\\\\0\"']{1,12}"), 0..=2);
    let watchdog = prop::collection::vec(watchdog(), 0..=2);
    let variables = prop::collection::vec(bytes(20), 0..4);
    let messages = prop::collection::vec(message(), 0..12);
    let rest = (start, fault(), notify(), watchdog, log(), variables, messages, any::<bool>());
    rest.prop_map(|(start, fault, notify, watchdog, log, variables, messages, reloads)| {
        let (passed, names) = start.into_iter().unzip();
        Case { passed, names, fault, notify, watchdog, log, variables, messages, reloads }
    })
}

fn passed() -> impl Strategy<Value = Passed> {
    use Passed::*;
    let good = select(vec![Bound, Bound, Abstract, Pair, Nonblocking, Credentials, Impatient]);
    let bad = select(vec![
        ShutDown,
        Listening,
        Stream,
        File,
        ReadOnlyFile,
        Directory,
        PathOnly,
        ReadEnd,
        WriteEnd,
        Null,
        Full,
    ]);
    // Every family, and every type from SOCK_STREAM to SOCK_PACKET.
    let socket = (0..46, 1..=10).prop_map(|(family, kind)| match (family, kind) {
        (libc::AF_UNIX, libc::SOCK_DGRAM | libc::SOCK_RAW) => File,
        (family, kind) => Socket(family, kind),
    });
    prop_oneof![10 => good, 1 => bad, 1 => socket]
}

/// In one case of four, a variable is wrong and foo has nothing to serve.
fn fault() -> impl Strategy<Value = Option<(&'static str, Option<String>)>> {
    let pid = ["1", "abc", "-1", "", "99999999999", "0x", "self "];
    let fds = ["0", "-1", "", "1x", "3", "7", "99999999999", "2147483647", "2147483644", "1 2"];
    let names = ["a:b:c", "a:b:c:d", "::::"];
    let of = |name: &'static str, values: &[&str]| {
        let values: Vec<_> = values.iter().map(|value| Some((*value).to_owned())).collect();
        select(values).prop_map(move |value| (name, value))
    };
    let unset = select(vec![("LISTEN_PID", None), ("LISTEN_FDS", None)]);
    let garbage = "[a-z\n<>]{1,30}".prop_map(|value| ("LISTEN_FDS", Some(value)));
    let any = prop_oneof![
        of("LISTEN_PID", &pid),
        of("LISTEN_FDS", &fds),
        of("LISTEN_FDNAMES", &names),
        unset,
        garbage
    ];
    prop::option::weighted(0.25, any)
}

fn notify() -> impl Strategy<Value = Notify> {
    let wrong = ["", "relative", "/", "/nonexistent/notify", "@", "vsock:1:2", "/dev/null"];
    let wrong = select(wrong.map(String::from).to_vec());
    let long = (108..300_usize).prop_map(|size| "/x".repeat(size));
    prop_oneof![
        6 => Just(Notify::Path),
        2 => Just(Notify::Abstract),
        1 => Just(Notify::Nobody),
        1 => prop_oneof![wrong, long, "[^\0]{1,40}"].prop_map(Notify::Wrong),
    ]
}

fn watchdog() -> impl Strategy<Value = (&'static str, String)> {
    let values = [
        "1",
        "self",
        "0",
        "-1",
        "",
        "abc",
        "1000",
        "20000000",
        "18446744073709551615",
        "99999999999999999999",
    ];
    let values = values.map(String::from).to_vec();
    (select(vec!["WATCHDOG_USEC", "WATCHDOG_PID"]), prop_oneof![select(values), "[^\0]{0,20}"])
}

fn log() -> impl Strategy<Value = Log> {
    use Log::*;
    prop_oneof![
        8 => Just(Read),
        2 => select(vec![File, Journal]),
        1 => select(vec![ReadOnlyFile, Full, Null, Closed, Broken]),
    ]
}

fn message() -> impl Strategy<Value = Message> {
    let payload = prop_oneof![
        20 => bytes(40),
        2 => (bytes(4), 1..3000_usize).prop_map(|(part, times)| part.repeat(times)),
        1 => (any::<u8>(), 50_000..200_000_usize).prop_map(|(byte, size)| vec![byte; size]),
    ];
    let from = prop_oneof![
        bytes(12).prop_map(From::Path),
        bytes(12).prop_map(From::Abstract),
        Just(From::Nobody),
    ];
    (0..2_usize, from, payload, prop_oneof![3 => Just(0), 1 => 1..8_usize], any::<bool>()).prop_map(
        |(to, from, payload, attached, credentials)| Message {
            to,
            from,
            payload,
            attached,
            credentials,
        },
    )
}

/// Any bytes, in which characters of all lengths are as likely as invalid UTF-8.
fn bytes(parts: usize) -> impl Strategy<Value = Vec<u8>> {
    let of = |character: char| character.to_string().into_bytes();
    let part = prop_oneof![
        any::<char>().prop_map(of),
        prop::char::range('\0', '\u{a0}').prop_map(of),
        any::<u8>().prop_map(|byte| vec![byte]),
        select(vec![b"\n<0>".to_vec(), b"\n".to_vec(), b"\0".to_vec(), b"%s%n".to_vec()]),
    ];
    prop::collection::vec(part, 0..parts).prop_map(|parts| parts.concat())
}
