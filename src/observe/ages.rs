//! A histogram of ages, small enough to keep one a listener.
//!
//! In: ages in milliseconds, one a socket. Out: counts by age, and "how many are at least this old".
//! Must not: know what the ages are of.

use serde::{Deserialize, Serialize};

/// Lower edges of the buckets, in seconds. The last one is open.
pub const EDGES: [u64; 14] = [0, 1, 2, 5, 10, 30, 60, 120, 300, 600, 1800, 3600, 7200, 86_400];

/// Counts by age; bucket `i` holds ages from `EDGES[i]` seconds up to the next edge.
/// Stored as the list of counts, trailing zeros left out.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Ages([u32; EDGES.len()]);

impl Ages {
    /// Of nothing.
    pub const NONE: Self = Self([0; EDGES.len()]);

    /// Counts one socket of this age.
    pub fn add(&mut self, milliseconds: u64) {
        self.add_all(milliseconds, 1);
    }

    /// Counts some sockets of this age.
    pub fn add_all(&mut self, milliseconds: u64, sockets: u32) {
        let bucket = EDGES.partition_point(|edge| edge * 1000 <= milliseconds).saturating_sub(1);
        self.0[bucket] = self.0[bucket].saturating_add(sockets);
    }

    /// Counts one socket if its age was read.
    pub fn add_known(&mut self, milliseconds: Option<u32>) {
        if let Some(age) = milliseconds {
            self.add(age.into());
        }
    }

    /// Adds another histogram to this one.
    pub fn merge(&mut self, other: &Self) {
        for (mine, theirs) in self.0.iter_mut().zip(other.0) {
            *mine = mine.saturating_add(theirs);
        }
    }

    /// Sockets counted in all.
    pub fn total(&self) -> u64 {
        self.0.iter().map(|&count| u64::from(count)).sum()
    }

    /// Sockets at least this many seconds old. A value between two edges is rounded up to the next one, so that the
    /// answer never claims more than was seen; beyond the last edge it is 0.
    pub fn at_least(&self, seconds: u64) -> u64 {
        let first = EDGES.partition_point(|&edge| edge < seconds);
        self.0[first..].iter().map(|&count| u64::from(count)).sum()
    }

    /// The counts, bucket by bucket.
    pub fn counts(&self) -> &[u32] {
        &self.0
    }

    /// Rebuilds a histogram from stored counts; `None` when there are more than there are buckets.
    pub fn from_counts(counts: &[u32]) -> Option<Self> {
        let mut buckets = [0; EDGES.len()];
        buckets.get_mut(..counts.len())?.copy_from_slice(counts);
        Some(Self(buckets))
    }
}

impl Serialize for Ages {
    fn serialize<S: serde::Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        let used = self.0.iter().rposition(|&count| count != 0).map_or(0, |last| last + 1);
        self.0[..used].serialize(serializer)
    }
}

impl<'de> Deserialize<'de> for Ages {
    fn deserialize<D: serde::Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let counts = Vec::<u32>::deserialize(deserializer)?;
        Self::from_counts(&counts)
            .ok_or_else(|| serde::de::Error::invalid_length(counts.len(), &"at most one count for each age bucket"))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_socket_is_counted_in_the_bucket_whose_lower_edge_it_reached() {
        let mut ages = Ages::default();
        for milliseconds in [0, 999, 1_000, 29_999, 30_000, u64::MAX] {
            ages.add(milliseconds);
        }
        assert_eq!(ages.total(), 6);
        assert_eq!(ages.at_least(0), 6);
        assert_eq!(ages.at_least(1), 4);
        assert_eq!(ages.at_least(30), 2);
        assert_eq!(ages.at_least(86_400), 1);
        assert_eq!(ages.at_least(86_401), 0, "beyond the last edge nothing is known");
    }

    #[test]
    fn a_threshold_between_two_edges_never_claims_more_than_was_seen() {
        let mut ages = Ages::default();
        ages.add(40_000);
        assert_eq!(ages.at_least(30), 1);
        assert_eq!(ages.at_least(31), 0);
    }

    #[test]
    fn stored_and_read_back_it_is_the_same() {
        let mut ages = Ages::default();
        ages.add(3_000);
        let stored = serde_json::to_string(&ages).unwrap();
        assert_eq!(stored, "[0,0,1]");
        assert_eq!(serde_json::from_str::<Ages>(&stored).unwrap(), ages);
        assert!(serde_json::from_str::<Ages>("[0,0,0,0,0,0,0,0,0,0,0,0,0,0,0]").is_err());
    }
}
