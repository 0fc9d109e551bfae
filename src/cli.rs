//! The command lines of foo and foocl.

#![forbid(unsafe_code)]

use crate::systemd;
use lexopt::{
    Arg::{Long, Short, Value},
    Parser,
};
use std::{
    borrow::Cow,
    ffi::OsString,
    io::{self, Write},
    path::PathBuf,
    process::ExitCode,
    time::Duration,
};

/// The exit status after a usage error. systemctl(1) shows it as INVALIDARGUMENT.
const USAGE_ERROR: u8 = 2;

const FOO_HELP: &str = "\
Usage: foo [OPTION]...

Writes each datagram that arrives at the sockets passed by systemd to standard
error, which foo.service connects to the journal. systemd starts foo:

    systemctl start foo

Options:
      --max-rate RATE  Let messages take up at most RATE bytes of the journal
                       per second, such as 256K or 1M, after a burst of 600
                       times as much; then senders wait (default: no limit)
  -h, --help           Show this help and exit
  -V, --version        Show the versions of foo and of its libsystemd and exit

See foo(8).
";

const FOOCL_HELP: &str = "\
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

const FOOCL_VERSION: &str = concat!("foocl ", env!("CARGO_PKG_VERSION"), "\n");

/// What a program does after it has read its command line.
pub enum Parsed<T> {
    /// Run with these options.
    Run(T),
    /// Exit with this status. The help, the version or the usage error is already written.
    Exit(ExitCode),
}

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

/// The command line of foo.
#[derive(Debug, Default, PartialEq, Eq)]
pub struct Options {
    /// How many bytes of the journal messages may take up per second in the long run.
    pub max_rate: Option<u64>,
}

/// A valid command line.
enum Command<T> {
    /// Run with these options.
    Run(T),
    /// Print this text and exit.
    Print(Cow<'static, str>),
}

/// Parses the command line of foo. The first argument is the program's name.
pub fn parse_foo(args: impl IntoIterator<Item = OsString>) -> Parsed<Options> {
    execute("foo", foo_command(Parser::from_iter(args)))
}

/// Parses the command line of foocl. The first argument is the program's name.
pub fn parse_foocl(args: impl IntoIterator<Item = OsString>) -> Parsed<Request> {
    execute("foocl", foocl_command(Parser::from_iter(args)))
}

fn foo_command(mut parser: Parser) -> Result<Command<Options>, lexopt::Error> {
    let mut options = Options::default();
    while let Some(arg) = parser.next()? {
        match arg {
            Long("max-rate") => options.max_rate = Some(rate(&mut parser)?),
            Short('h') | Long("help") => return print(FOO_HELP, &mut parser),
            Short('V') | Long("version") => return print(foo_version(), &mut parser),
            other => return Err(other.unexpected()),
        }
    }
    Ok(Command::Run(options))
}

fn foocl_command(mut parser: Parser) -> Result<Command<Request>, lexopt::Error> {
    let mut socket = PathBuf::from("/run/foo.socket");
    let mut timeout = Duration::from_secs(10);
    let (mut quiet, mut message) = (false, None);
    while let Some(arg) = parser.next()? {
        match arg {
            Short('s') | Long("socket") => socket = parser.value()?.into(),
            Short('t') | Long("timeout") => timeout = seconds(&mut parser)?,
            Short('q') | Long("quiet") => quiet = true,
            Short('h') | Long("help") => return print(FOOCL_HELP, &mut parser),
            Short('V') | Long("version") => return print(FOOCL_VERSION, &mut parser),
            Value(value) if message.is_none() => message = Some(value),
            other => return Err(other.unexpected()),
        }
    }
    let message = message.ok_or("no message was given")?;
    Ok(Command::Run(Request {
        socket,
        timeout,
        quiet,
        message: Some(message).filter(|text| text != "-"),
    }))
}

/// Parses an option's value in bytes per second. The suffixes K, M and G are to the base of 1,024,
/// as in systemd's size settings.
fn rate(parser: &mut Parser) -> Result<u64, lexopt::Error> {
    use lexopt::ValueExt;
    const NOT_A_RATE: &str = "it is not a number of bytes per second, such as 256K";
    parser.value()?.parse_with(|text| {
        let digits = text.trim_end_matches(|last: char| !last.is_ascii_digit());
        let power = match &text[digits.len()..] {
            "" | "B" => 0,
            "K" => 1,
            "M" => 2,
            "G" => 3,
            _ => return Err(NOT_A_RATE),
        };
        let bytes =
            digits.parse::<u64>().ok().and_then(|number| number.checked_mul(1 << (10 * power)));
        bytes.filter(|&bytes| bytes > 0).ok_or(NOT_A_RATE)
    })
}

/// Parses an option's value in seconds.
fn seconds(parser: &mut Parser) -> Result<Duration, lexopt::Error> {
    use lexopt::ValueExt;
    parser.value()?.parse_with(|text| {
        let seconds: f64 = text.parse().map_err(|_| "it is not a number of seconds")?;
        if seconds == f64::INFINITY {
            return Ok(Duration::MAX);
        }
        Duration::try_from_secs_f64(seconds).map_err(|_| "it is not a valid time to wait")
    })
}

fn foo_version() -> String {
    let library = systemd::library()
        .map_or_else(|| "an unknown file".into(), |path| path.display().to_string());
    let built = env!("LIBSYSTEMD_VERSION");
    format!(
        "foo {}\nlibsystemd: runs on {library}, built with {built}\n",
        env!("CARGO_PKG_VERSION")
    )
}

/// Returns the command to print `text`, which an option without a value asked for.
fn print<T>(
    text: impl Into<Cow<'static, str>>,
    parser: &mut Parser,
) -> Result<Command<T>, lexopt::Error> {
    // If the option was given a value, only the next call of the parser reports that.
    parser.next()?;
    Ok(Command::Print(text.into()))
}

/// Prints the text that the command line asks for, or what is wrong with it.
fn execute<T>(program: &str, command: Result<Command<T>, lexopt::Error>) -> Parsed<T> {
    Parsed::Exit(match command {
        Ok(Command::Run(options)) => return Parsed::Run(options),
        Ok(Command::Print(text)) => io::stdout()
            .write_all(text.as_bytes())
            .map_or(ExitCode::FAILURE, |()| ExitCode::SUCCESS),
        Err(error) => {
            // If standard error can't be written, the exit status still reports the error.
            let _ = writeln!(
                io::stderr(),
                "{program}: {error}\nTry '{program} --help' for more information."
            );
            ExitCode::from(USAGE_ERROR)
        }
    })
}
