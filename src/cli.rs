//! Command lines of both programs.

#![forbid(unsafe_code)]

use crate::systemd;
use lexopt::{
    Arg::{Long, Short, Value},
    Parser,
};
use std::{
    ffi::OsString,
    fmt::Display,
    io::{self, Write},
    path::PathBuf,
    process::ExitCode,
    time::Duration,
};

/// Exit status of a usage error, which systemctl(1) shows as INVALIDARGUMENT.
const USAGE_ERROR: u8 = 2;

const FOO_HELP: &str = "\
Usage: foo [OPTION]...

Writes each datagram that arrives at the sockets passed by systemd to standard
error, which its unit sends to the journal. It is started by systemd, not by
hand:

    systemctl start foo

Options:
      --max-rate RATE  What messages may take up in the journal in a second, in
                       bytes, as 256K or 1M, over a burst of 600 times as much;
                       then senders wait (default: no limit)
  -h, --help           Show this help and exit
  -V, --version        Show the versions of foo and of its libsystemd and exit

See foo(8).
";

const FOOCL_HELP: &str = "\
Usage: foocl [OPTION]... MESSAGE
       foocl [OPTION]... -

Sends MESSAGE, or with - each line of standard input, to foo as a datagram.

Options:
  -s, --socket PATH      Socket to send to, @NAME for an abstract name
                         (default: /run/foo.socket)
  -t, --timeout SECONDS  How long to wait while the socket's queue is full, as
                         2.5 or infinity (default: 10)
  -q, --quiet            Don't show what is sent
  -h, --help             Show this help and exit
  -V, --version          Show the version and exit

See foocl(1).
";

const FOOCL_VERSION: &str = concat!("foocl ", env!("CARGO_PKG_VERSION"), "\n");

/// What foocl is asked to send, and how.
#[derive(Debug)]
pub struct Request {
    /// The socket to send to: a path, or `@` and an abstract name.
    pub socket: PathBuf,
    /// How long to wait while its queue is full.
    pub timeout: Duration,
    /// Whether to say nothing of what is sent.
    pub quiet: bool,
    /// The message; `None` for the lines of standard input.
    pub message: Option<OsString>,
}

/// How foo is to run.
#[derive(Debug, Default, PartialEq, Eq)]
pub struct Options {
    /// Bytes of the journal that messages may take up a second, over a burst.
    pub max_rate: Option<u64>,
}

/// Reads the command line of foo, program name first.
///
/// # Errors
///
/// The status to exit with, where help or the version was asked for and shown, or the usage was wrong and
/// that was said.
pub fn foo(args: impl IntoIterator<Item = OsString>) -> Result<Options, ExitCode> {
    let usage = |error: lexopt::Error| usage_error("foo", error);
    let mut options = Options::default();
    let mut parser = Parser::from_iter(args);
    while let Some(arg) = parser.next().map_err(usage)? {
        match arg {
            Long("max-rate") => options.max_rate = Some(rate(&mut parser).map_err(usage)?),
            Short('h') | Long("help") => return Err(show("foo", FOO_HELP, &mut parser)),
            Short('V') | Long("version") => return Err(show("foo", &foo_version(), &mut parser)),
            other => return Err(usage(other.unexpected())),
        }
    }
    Ok(options)
}

/// Reads the command line of foocl, program name first.
///
/// # Errors
///
/// As [`foo`].
pub fn foocl(args: impl IntoIterator<Item = OsString>) -> Result<Request, ExitCode> {
    let usage = |error: lexopt::Error| usage_error("foocl", error);
    let mut socket = PathBuf::from("/run/foo.socket");
    let mut timeout = Duration::from_secs(10);
    let (mut quiet, mut message) = (false, None);
    let mut parser = Parser::from_iter(args);
    while let Some(arg) = parser.next().map_err(usage)? {
        match arg {
            Short('s') | Long("socket") => socket = parser.value().map_err(usage)?.into(),
            Short('t') | Long("timeout") => timeout = seconds(&mut parser).map_err(usage)?,
            Short('q') | Long("quiet") => quiet = true,
            Short('h') | Long("help") => return Err(show("foocl", FOOCL_HELP, &mut parser)),
            Short('V') | Long("version") => {
                return Err(show("foocl", FOOCL_VERSION, &mut parser));
            }
            Value(value) if message.is_none() => message = Some(value),
            other => return Err(usage(other.unexpected())),
        }
    }
    match message {
        Some(text) => Ok(Request {
            socket,
            timeout,
            quiet,
            message: Some(text).filter(|text| text != "-"),
        }),
        None => Err(usage_error("foocl", "no message was given")),
    }
}

/// Reads the value of an option as bytes a second, as systemd writes sizes: `256K`, `1M`, to the base of 1,024.
fn rate(parser: &mut Parser) -> Result<u64, lexopt::Error> {
    use lexopt::ValueExt;
    const NO_RATE: &str = "it is no number of bytes a second, such as 256K";
    parser.value()?.parse_with(|text| {
        let digits = text.trim_end_matches(|last: char| !last.is_ascii_digit());
        let power = match &text[digits.len()..] {
            "" | "B" => 0,
            "K" => 1,
            "M" => 2,
            "G" => 3,
            _ => return Err(NO_RATE),
        };
        let bytes = digits
            .parse::<u64>()
            .ok()
            .and_then(|number| number.checked_mul(1 << (10 * power)));
        bytes.filter(|&bytes| bytes > 0).ok_or(NO_RATE)
    })
}

/// Reads the value of an option as seconds.
fn seconds(parser: &mut Parser) -> Result<Duration, lexopt::Error> {
    use lexopt::ValueExt;
    parser.value()?.parse_with(|text| {
        let seconds: f64 = text.parse().map_err(|_| "it is no number of seconds")?;
        if seconds == f64::INFINITY {
            return Ok(Duration::MAX);
        }
        Duration::try_from_secs_f64(seconds).map_err(|_| "it is no time to wait")
    })
}

fn foo_version() -> String {
    let library = systemd::library().map_or_else(
        || "an unknown file".into(),
        |path| path.display().to_string(),
    );
    let built = env!("LIBSYSTEMD_VERSION");
    format!(
        "foo {}\nlibsystemd: runs on {library}, built with {built}\n",
        env!("CARGO_PKG_VERSION")
    )
}

/// Shows a text that was asked for by an option without a value, and tells how to exit.
fn show(program: &str, text: &str, parser: &mut Parser) -> ExitCode {
    // An option that was given a value is an error of the next one.
    if let Err(error) = parser.next() {
        return usage_error(program, error);
    }
    io::stdout()
        .write_all(text.as_bytes())
        .map_or(ExitCode::FAILURE, |()| ExitCode::SUCCESS)
}

/// Says what is wrong with a command line, and tells how to exit.
fn usage_error(program: &str, error: impl Display) -> ExitCode {
    // Where standard error can't take it, the status still tells.
    let _ = writeln!(
        io::stderr(),
        "{program}: {error}\nTry '{program} --help' for more information."
    );
    ExitCode::from(USAGE_ERROR)
}
