//! The command line of foo.

#![forbid(unsafe_code)]

use crate::cli::{Command, Parsed, execute, print};
use lexopt::{
    Arg::{Long, Short},
    Parser,
};
use std::ffi::OsString;

const HELP: &str = "\
Usage: foo [OPTION]...

Writes each datagram that arrives at the sockets passed by systemd to standard
error, which foo.service connects to the journal. systemd starts foo:

    systemctl start foo

Options:
      --fields         Write each message to the journal as an entry with fields
                       for its sender and its exact bytes
      --max-rate RATE  Let messages take up at most RATE bytes of the journal
                       per second, such as 256K or 1M, after a burst of 600
                       times as much; then senders wait (default: no limit)
  -h, --help           Show this help and exit
  -V, --version        Show the versions of foo and of its libsystemd and exit

See foo(8).
";

/// The command line of foo.
#[derive(Debug, Default, PartialEq, Eq)]
pub struct Options {
    /// Whether each message becomes an entry with fields.
    pub fields: bool,
    /// How many bytes of the journal messages may take up per second in the long run.
    pub max_rate: Option<u64>,
}

/// Parses the command line of foo. The first argument is the program's name.
pub fn parse(args: impl IntoIterator<Item = OsString>) -> Parsed<Options> {
    execute("foo", command(Parser::from_iter(args)))
}

fn command(mut parser: Parser) -> Result<Command<Options>, lexopt::Error> {
    let mut options = Options::default();
    while let Some(arg) = parser.next()? {
        match arg {
            Long("fields") => options.fields = true,
            Long("max-rate") => options.max_rate = Some(rate(&mut parser)?),
            Short('h') | Long("help") => return print(HELP, &mut parser),
            Short('V') | Long("version") => return print(version(), &mut parser),
            other => return Err(other.unexpected()),
        }
    }
    Ok(Command::Run(options))
}

/// Parses an option's value in bytes per second. The suffixes K, M and G are to the base of 1,024,
/// as in systemd's size settings.
fn rate(parser: &mut Parser) -> Result<u64, lexopt::Error> {
    use lexopt::ValueExt;
    const NOT_A_RATE: &str = "--max-rate takes a number of bytes per second above 0, such as 256K";
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

fn version() -> String {
    let library = libsystemd_safe::library()
        .map_or_else(|| "an unknown file".into(), |path| path.display().to_string());
    let built = env!("LIBSYSTEMD_VERSION");
    format!("foo {}\nbuilt with systemd {built}\nruns with {library}\n", env!("CARGO_PKG_VERSION"))
}
