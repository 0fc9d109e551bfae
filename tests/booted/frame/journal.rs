//! Reads the journal's export format, which keeps every byte of every field.

use std::collections::BTreeMap;

/// An entry of the journal.
pub struct Entry(BTreeMap<String, Vec<u8>>);

impl Entry {
    /// Returns a field, empty if the entry has none of that name.
    pub fn field(&self, name: &str) -> String {
        let bytes = self.0.get(name).map_or(&[][..], Vec::as_slice);
        String::from_utf8_lossy(bytes).into_owned()
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

/// Parses the output of `journalctl --output=export`. A field is a line `NAME=value`, or a line
/// `NAME`, a little-endian length, the value and a newline. An empty line ends an entry.
pub fn parse(mut export: &[u8]) -> Vec<Entry> {
    let mut entries = Vec::new();
    let mut fields = BTreeMap::new();
    while let Some(end) = export.iter().position(|&byte| byte == b'\n') {
        let line = &export[..end];
        export = &export[end + 1..];
        if line.is_empty() {
            entries.push(Entry(std::mem::take(&mut fields)));
            continue;
        }
        let (name, value) = match line.iter().position(|&byte| byte == b'=') {
            Some(equals) => (&line[..equals], &line[equals + 1..]),
            None => {
                let (length, rest) = export.split_first_chunk().expect("a length");
                let length = usize::try_from(u64::from_le_bytes(*length)).expect("a length");
                export = &rest[length + 1..];
                (line, &rest[..length])
            }
        };
        fields.insert(String::from_utf8_lossy(name).into_owned(), value.to_vec());
    }
    entries
}
