//! A figure: the medians of what was measured of each daemon.

use crate::contender::Column;

/// What was measured of each daemon.
pub struct Figure {
    pub name: String,
    pub unit: &'static str,
    /// By column.
    samples: [Vec<f64>; Column::ALL.len()],
}

impl Figure {
    pub fn new(name: impl Into<String>, unit: &'static str) -> Self {
        Self {
            name: name.into(),
            unit,
            samples: Default::default(),
        }
    }

    pub fn add(&mut self, column: Column, sample: f64) {
        self.samples[column as usize].push(sample);
    }

    /// The median, where there is any sample.
    pub fn median(&self, column: Column) -> Option<f64> {
        let mut samples = self.samples[column as usize].clone();
        samples.sort_by(f64::total_cmp);
        samples.get(samples.len() / 2).copied()
    }

    /// One's median over another's.
    pub fn over(&self, column: Column, other: Column) -> Option<f64> {
        Some(self.median(column)? / self.median(other)?)
    }
}
