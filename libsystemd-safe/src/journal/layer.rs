//! The journal as a layer of the crate tracing-subscriber.

use super::{Entry, Priority, entry::NAME_MAX};
use std::fmt::Debug;
use tracing_core::{
    Event, Field, Level, Subscriber,
    field::Visit,
    span::{Attributes, Id, Record},
};
use tracing_subscriber::{layer::Context, registry::LookupSpan};

/// Writes each event of the crate `tracing` to the journal, as an entry; with the feature
/// `tracing`.
///
/// | level | priority |
/// |---|---|
/// | `ERROR` | [`Err`](Priority::Err) |
/// | `WARN` | [`Warning`](Priority::Warning) |
/// | `INFO` | [`Info`](Priority::Info) |
/// | `DEBUG`, `TRACE` | [`Debug`](Priority::Debug) |
///
/// ```
/// use libsystemd_safe::journal::Layer;
/// use tracing_subscriber::layer::SubscriberExt;
///
/// tracing::subscriber::set_global_default(tracing_subscriber::registry().with(Layer))?;
/// let request = tracing::info_span!("request", client = "10.0.0.2");
/// request.in_scope(|| tracing::warn!(bytes.left = 4096, "The disk is nearly full"));
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
///
/// | field of the entry | value |
/// |---|---|
/// | `MESSAGE=` | the event's message, or its name if it has none |
/// | `CODE_FILE=`, `CODE_LINE=`, `TARGET=` | where the event is in the source, and its target |
/// | `SPAN=` | the names of the spans that it is in, the outermost first, such as `request:query` |
/// | `F_` and a name, such as `F_CLIENT=` and `F_BYTES_LEFT=` | a field of a span or of the event |
///
/// The name of a field gets capital letters, and `_` in place of all but letters and digits. It is
/// truncated to 64 characters, as the journal demands. Strings are written as they are, and other
/// values as [`Debug`] shows them. If several spans have a field, the entry has several values of
/// it: see [`Reader::enumerate_data`](super::Reader::enumerate_data).
///
/// An entry that can't be sent is lost without a report: see [`Entry::send`], which blocks while
/// the journal's queue is full.
#[derive(Clone, Copy, Debug, Default)]
pub struct Layer;

impl<S: Subscriber + for<'a> LookupSpan<'a>> tracing_subscriber::Layer<S> for Layer {
    fn on_new_span(&self, attributes: &Attributes<'_>, id: &Id, context: Context<'_, S>) {
        let Some(span) = context.span(id) else { return };
        let mut fields = Fields::default();
        attributes.record(&mut fields);
        // `insert` would panic if the subscriber has two of these layers.
        span.extensions_mut().replace(fields);
    }

    fn on_record(&self, id: &Id, values: &Record<'_>, context: Context<'_, S>) {
        let Some(span) = context.span(id) else { return };
        // Before the span is locked, since a value may log while it is formatted.
        let mut late = Fields::default();
        values.record(&mut late);
        if let Some(fields) = span.extensions_mut().get_mut::<Fields>() {
            late.0.into_iter().for_each(|(name, value)| fields.set(name, value));
        }
    }

    fn on_event(&self, event: &Event<'_>, context: Context<'_, S>) {
        let mut entry = Entry::from(event);
        let mut names = String::new();
        for span in context.event_scope(event).into_iter().flat_map(|scope| scope.from_root()) {
            names = if names.is_empty() { span.name().into() } else { names + ":" + span.name() };
            if let Some(fields) = span.extensions().get::<Fields>() {
                fields.add_to(&mut entry);
            }
        }
        if !names.is_empty() {
            entry.push("SPAN", names.as_bytes());
        }
        // There is nowhere to report it.
        let _ = entry.send();
    }
}

impl From<&Event<'_>> for Entry {
    /// Converts an event as [`Layer`] does, without the spans.
    fn from(event: &Event<'_>) -> Self {
        let (metadata, mut fields) = (event.metadata(), Fields::default());
        event.record(&mut fields);
        let message = fields.0.iter().position(|(name, _)| *name == "message");
        let message = message.map(|at| fields.0.remove(at).1);
        let mut entry = Self::new(
            (*metadata.level()).into(),
            message.unwrap_or_else(|| metadata.name().to_owned()),
        );
        if let Some(file) = metadata.file() {
            entry.push("CODE_FILE", file.as_bytes());
        }
        if let Some(line) = metadata.line() {
            entry.push("CODE_LINE", line.to_string().as_bytes());
        }
        entry.push("TARGET", metadata.target().as_bytes());
        fields.add_to(&mut entry);
        entry
    }
}

impl From<Level> for Priority {
    /// Converts a level as [`Layer`] does.
    fn from(level: Level) -> Self {
        match level {
            Level::ERROR => Self::Err,
            Level::WARN => Self::Warning,
            Level::INFO => Self::Info,
            Level::DEBUG | Level::TRACE => Self::Debug,
        }
    }
}

/// Names and values of an event or of a span, of which the last one of a name counts.
#[derive(Default)]
struct Fields(Vec<(&'static str, String)>);

impl Fields {
    fn set(&mut self, name: &'static str, value: String) {
        self.0.retain(|(other, _)| *other != name);
        self.0.push((name, value));
    }

    fn add_to(&self, entry: &mut Entry) {
        for (name, value) in &self.0 {
            entry.push(&journal_name(name), value.as_bytes());
        }
    }
}

impl Visit for Fields {
    fn record_str(&mut self, field: &Field, value: &str) {
        self.set(field.name(), value.to_owned());
    }

    fn record_debug(&mut self, field: &Field, value: &dyn Debug) {
        self.set(field.name(), format!("{value:?}"));
    }
}

/// Returns a name that the journal accepts.
fn journal_name(name: &str) -> String {
    let valid = |character: char| match character.to_ascii_uppercase() {
        upper if upper.is_ascii_alphanumeric() => upper,
        _ => '_',
    };
    "F_".chars().chain(name.chars().map(valid)).take(NAME_MAX).collect()
}
