//! A figure: one property that was measured several times for each daemon.

use crate::contender::Column;

/// The samples of one property, for each daemon.
pub struct Figure {
    pub name: String,
    pub unit: &'static str,
    /// Samples by column.
    samples: [Vec<f64>; Column::ALL.len()],
}

impl Figure {
    pub fn new(name: impl Into<String>, unit: &'static str) -> Self {
        Self { name: name.into(), unit, samples: Default::default() }
    }

    pub fn add(&mut self, column: Column, sample: f64) {
        self.samples[column as usize].push(sample);
    }

    /// Returns the median of a daemon, if it has samples.
    pub fn median(&self, column: Column) -> Option<f64> {
        let mut samples = self.samples[column as usize].clone();
        samples.sort_by(f64::total_cmp);
        samples.get(samples.len() / 2).copied()
    }

    /// Returns the ratio of two medians.
    pub fn ratio(&self, column: Column, other: Column) -> Option<f64> {
        Some(self.median(column)? / self.median(other)?)
    }
}
