//! The command line of foocl.

#![forbid(unsafe_code)]

use crate::cli::{Command, Parsed, execute, print};
use lexopt::{
    Arg::{Long, Short, Value},
    Parser,
};
use std::{ffi::OsString, path::PathBuf, time::Duration};

const HELP: &str = "\
Usage: foocl [OPTION]... MESSAGE
       foocl [OPTION]... -

Sends MESSAGE to foo as one datagram. With -, sends each line of standard input
as one datagram.

Options:
  -s, --socket PATH      Send to this socket; @NAME is an abstract name
                         (default: /run/foo.socket)
  -t, --timeout SECONDS  Wait at most SECONDS while the socket's queue is full,
                         such as 2.5 or infinity (default: 10)
  -q, --quiet            Don't print the messages
  -h, --help             Show this help and exit
  -V, --version          Show the version and exit

See foocl(1).
";

const VERSION: &str = concat!("foocl ", env!("CARGO_PKG_VERSION"), "\n");

/// The command line of foocl: what to send, and how.
#[derive(Debug)]
pub struct Request {
    /// The socket to send to: a path, or `@` and an abstract name.
    pub socket: PathBuf,
    /// How long to wait while the socket's queue is full.
    pub timeout: Duration,
    /// Whether the messages are not printed.
    pub quiet: bool,
    /// The message; `None` for the lines of standard input.
    pub message: Option<OsString>,
}

/// Parses the command line of foocl. The first argument is the program's name.
pub fn parse(args: impl IntoIterator<Item = OsString>) -> Parsed<Request> {
    execute("foocl", command(Parser::from_iter(args)))
}

fn command(mut parser: Parser) -> Result<Command<Request>, lexopt::Error> {
    let mut socket = PathBuf::from("/run/foo.socket");
    let mut timeout = Duration::from_secs(10);
    let (mut quiet, mut message) = (false, None);
    while let Some(arg) = parser.next()? {
        match arg {
            Short('s') | Long("socket") => socket = parser.value()?.into(),
            Short('t') | Long("timeout") => timeout = seconds(&mut parser)?,
            Short('q') | Long("quiet") => quiet = true,
            Short('h') | Long("help") => return print(HELP, &mut parser),
            Short('V') | Long("version") => return print(VERSION, &mut parser),
            Value(value) if message.is_none() => message = Some(value),
            Value(_) => {
                return Err("a message of several words needs quotes around it".into());
            }
            Short('p') => return Err("there is no -p: each message has priority notice".into()),
            other => return Err(other.unexpected()),
        }
    }
    let message = message.ok_or("no message was given; '-' sends the lines of standard input")?;
    Ok(Command::Run(Request {
        socket,
        timeout,
        quiet,
        message: Some(message).filter(|text| text != "-"),
    }))
}

/// Parses an option's value in seconds.
fn seconds(parser: &mut Parser) -> Result<Duration, lexopt::Error> {
    use lexopt::ValueExt;
    parser.value()?.parse_with(|text| {
        let seconds: f64 =
            text.parse().map_err(|_| "it is not a number of seconds (a tag can't be chosen)")?;
        if seconds == f64::INFINITY {
            return Ok(Duration::MAX);
        }
        Duration::try_from_secs_f64(seconds).map_err(|_| "it is not a valid time to wait")
    })
}
