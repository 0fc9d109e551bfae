//! A limit to what is logged in the long run, over a burst. What exceeds it waits: nothing is dropped.

#![forbid(unsafe_code)]

use std::time::{Duration, Instant};

/// What an entry of the journal takes up besides its text, in bytes: about 450 on systemd 252, 660 on 257, 850 on 247.
const ENTRY_OVERHEAD: u64 = 700;

/// A burst takes up what the rate allows in this time, in seconds.
const BURST: u64 = 600;

/// Bounds of a pause: long enough to be worth a batch, and short enough for any rate, in seconds.
const SHORTEST_PAUSE: Duration = Duration::from_millis(100);
const LONGEST_PAUSE: f64 = 3600.0;

/// A token bucket. A token is a byte of the journal.
pub struct Limit {
    /// Tokens a second.
    rate: u64,
    /// What is left of the burst; negative after a batch that was larger.
    tokens: i64,
    /// When the tokens were last counted.
    at: Instant,
}

impl Limit {
    /// A full bucket.
    pub fn new(rate: u64) -> Self {
        let mut limit = Self {
            rate,
            tokens: 0,
            at: Instant::now(),
        };
        limit.fill();
        limit
    }

    /// Fills the bucket.
    pub fn fill(&mut self) {
        self.tokens = self.burst();
    }

    /// Takes what an entry of that many bytes costs.
    pub fn spend(&mut self, bytes: usize) {
        self.tokens = self
            .tokens
            .saturating_sub_unsigned(bytes as u64 + ENTRY_OVERHEAD);
    }

    /// Returns when more may be logged; `None` if it may now.
    pub fn wait_until(&mut self) -> Option<Instant> {
        let now = Instant::now();
        let earned = (now - self.at).as_secs_f64() * self.rate as f64;
        // A fraction of a token is left for the next time.
        if earned >= 1.0 {
            self.tokens = self.tokens.saturating_add(earned as i64).min(self.burst());
            self.at = now;
        }
        if self.tokens > 0 {
            return None;
        }
        let missing = self.tokens.unsigned_abs() as f64 / self.rate as f64;
        Some(now + Duration::from_secs_f64(missing.min(LONGEST_PAUSE)).max(SHORTEST_PAUSE))
    }

    fn burst(&self) -> i64 {
        self.rate
            .saturating_mul(BURST)
            .try_into()
            .unwrap_or(i64::MAX)
    }
}
