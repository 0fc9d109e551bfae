//! What the command lines of both programs have in common.

#![forbid(unsafe_code)]

use lexopt::Parser;
use std::{
    borrow::Cow,
    io::{self, Write},
};

/// The exit status after a usage error. systemctl(1) shows it as INVALIDARGUMENT.
const USAGE_ERROR: u8 = 2;

/// What a program does after it has read its command line.
pub enum Parsed<T> {
    /// Run with these options.
    Run(T),
    /// Exit with this status. The help, the version or the usage error is already written.
    Exit(u8),
}

/// A valid command line.
pub enum Command<T> {
    /// Run with these options.
    Run(T),
    /// Print this text and exit.
    Print(Cow<'static, str>),
}

/// Returns the command to print `text`, which an option without a value asked for.
///
/// # Errors
///
/// Fails if the option was given a value.
pub fn print<T>(
    text: impl Into<Cow<'static, str>>,
    parser: &mut Parser,
) -> Result<Command<T>, lexopt::Error> {
    // If the option was given a value, only the next call of the parser reports that.
    parser.next()?;
    Ok(Command::Print(text.into()))
}

/// Prints the text that the command line asks for, or what is wrong with it.
pub fn execute<T>(program: &str, command: Result<Command<T>, lexopt::Error>) -> Parsed<T> {
    Parsed::Exit(match command {
        Ok(Command::Run(options)) => return Parsed::Run(options),
        Ok(Command::Print(text)) => io::stdout().write_all(text.as_bytes()).map_or(1, |()| 0),
        Err(error) => {
            // If standard error can't be written, the exit status still reports the error.
            let _ = writeln!(
                io::stderr(),
                "{program}: {error}\nTry '{program} --help' for more information."
            );
            USAGE_ERROR
        }
    })
}
