//! Reads the journal of a container from outside, with this machine's libsystemd. That is 252 or
//! newer, which reads what 257 and 262 write. An older one leaves out their files without an error,
//! since they are in the compact format.

use libsystemd_safe::journal::{OpenFlags, Reader};
use std::path::Path;

/// An entry of the journal: the names and values of its fields.
pub struct Entry(Vec<(String, Vec<u8>)>);

impl Entry {
    /// Returns all values of a field, in the order of `Reader::enumerate_data`.
    pub fn values(&self, name: &str) -> impl Iterator<Item = &[u8]> {
        self.0.iter().filter(move |field| field.0 == name).map(|field| &field.1[..])
    }

    /// Returns the first value of a field as text, empty if the entry does not have the field.
    pub fn field(&self, name: &str) -> String {
        String::from_utf8_lossy(self.values(name).next().unwrap_or_default()).into_owned()
    }

    /// Returns the text of the entry.
    pub fn message(&self) -> String {
        self.field("MESSAGE")
    }

    /// Returns the priority and the text.
    pub fn line(&self) -> String {
        format!("{} {}", self.field("PRIORITY"), self.message())
    }
}

/// Opens the journal below a root directory, whether it is in `/var` or in `/run`. It shows the
/// entries that match: `FIELD=value FIELD=value + FIELD=value`, as journalctl(1) takes it.
pub fn open(root: &Path, matches: &str) -> Reader {
    let mut reader = Reader::open_directory(root, OpenFlags::OS_ROOT).expect("a journal");
    for word in matches.split(' ') {
        let added = match word.split_once('=') {
            Some((field, value)) => reader.add_match(field, value),
            None => {
                assert_eq!(word, "+", "neither a match nor an alternative: {matches}");
                reader.add_disjunction()
            }
        };
        added.expect(matches);
    }
    reader
}

/// Returns the entries from here on.
pub fn entries(reader: &mut Reader) -> Vec<Entry> {
    let mut entries = Vec::new();
    while reader.next().expect("the next entry") {
        let (mut data, mut fields) = (reader.enumerate_data(), Vec::new());
        while let Some((name, value)) = data.next().expect("the next field") {
            fields.push((String::from_utf8_lossy(name).into_owned(), value.to_vec()));
        }
        entries.push(Entry(fields));
    }
    entries
}

/// Returns the texts of the entries from here on, one line each.
pub fn lines(reader: &mut Reader) -> String {
    let mut lines = Vec::new();
    while reader.next().expect("the next entry") {
        if let Some(message) = reader.data(c"MESSAGE").expect("a message") {
            lines.extend([message, b"\n"].concat());
        }
    }
    String::from_utf8_lossy(&lines).into_owned()
}
