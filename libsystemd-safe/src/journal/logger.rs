//! The journal as a logger of the crate log.

use super::{Entry, Priority};
use log::{Level, Log, Metadata, Record};

/// Writes each record of the crate [`log`] to the journal, as an entry; with the feature `log`.
///
/// | level | priority |
/// |---|---|
/// | `error` | [`Err`](Priority::Err) |
/// | `warn` | [`Warning`](Priority::Warning) |
/// | `info` | [`Info`](Priority::Info) |
/// | `debug`, `trace` | [`Debug`](Priority::Debug) |
///
/// ```
/// use libsystemd_safe::journal::Logger;
///
/// log::set_logger(&Logger).map(|()| log::set_max_level(log::LevelFilter::Info))?;
/// log::warn!("The disk is nearly full");
/// # Ok::<(), log::SetLoggerError>(())
/// ```
///
/// An entry has the record's file and line as `CODE_FILE=` and `CODE_LINE=`, and its target as
/// `TARGET=`. To add fields, convert a record to an [`Entry`].
///
/// An entry that can't be sent is lost without a report: see [`Entry::send`], which blocks while
/// the journal's queue is full.
#[derive(Clone, Copy, Debug, Default)]
pub struct Logger;

impl Log for Logger {
    fn enabled(&self, _: &Metadata<'_>) -> bool {
        true
    }

    fn log(&self, record: &Record<'_>) {
        // There is nowhere to report it.
        let _ = Entry::from(record).send();
    }

    fn flush(&self) {}
}

impl From<&Record<'_>> for Entry {
    /// Converts a record as [`Logger`] does.
    fn from(record: &Record<'_>) -> Self {
        let mut entry = Self::new(record.level().into(), record.args().to_string());
        if let Some(file) = record.file() {
            entry.push("CODE_FILE", file.as_bytes());
        }
        if let Some(line) = record.line() {
            entry.push("CODE_LINE", line.to_string().as_bytes());
        }
        entry.push("TARGET", record.target().as_bytes());
        entry
    }
}

impl From<Level> for Priority {
    /// Converts a level as [`Logger`] does.
    fn from(level: Level) -> Self {
        match level {
            Level::Error => Self::Err,
            Level::Warn => Self::Warning,
            Level::Info => Self::Info,
            Level::Debug | Level::Trace => Self::Debug,
        }
    }
}
