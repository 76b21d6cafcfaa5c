//! Counts by group in bounded memory.
//!
//! In: a key a socket. Out: the largest groups, exact or with the bound of what they may lack, and the sum of the rest.
//! Must not: grow beyond its capacity, or let a remote peer choose keys that collide (the hash is seeded each run).
//!
//! When the table is full the smaller half of the groups is dropped. A small sketch remembers how much was dropped
//! under each hash, so that a group that comes back knows how much of it may be missing.

use std::cmp::Reverse;
use std::collections::{BTreeSet, HashMap};
use std::hash::{BuildHasher, Hash, Hasher, RandomState};

/// Cells a row of the sketch; a row takes 13 bits of the hash, so four rows fit into it.
const CELLS: usize = 1 << 13;
const ROWS: usize = 4;
/// Bits to count groups with, 32 KiB.
const MARKS: usize = 1 << 18;

/// What is counted in a group.
pub(super) trait Weight: Default {
    /// Sockets of the group.
    fn weight(&self) -> u32;
}

/// A group's counts.
#[derive(Debug, Clone, Default)]
pub(super) struct Group<V> {
    pub(super) counts: V,
    /// How many sockets at most were dropped before the group came back.
    pub(super) missed_at_most: u32,
}

/// The table.
#[derive(Debug)]
pub(super) struct Groups<K, V> {
    table: HashMap<K, Group<V>, Seed>,
    seed: Seed,
    capacity: usize,
    /// Sockets of dropped groups.
    dropped: u64,
    /// Rows of [`CELLS`] one after the other; allocated when the table is full for the first time.
    sketch: Vec<u32>,
    /// A bit for each hash that was seen, allocated with the sketch; how many are set tells how many groups there were.
    marks: Vec<u64>,
}

/// The largest groups and the sum of all.
#[derive(Debug)]
pub(super) struct Largest<K, V> {
    /// Largest first, then by key.
    pub(super) groups: Vec<(K, Group<V>)>,
    /// Groups in all: exact unless the table was full, then an estimate, good to a few percent below a million.
    pub(super) seen: u64,
    /// Sockets in all.
    pub(super) sockets: u64,
}

impl<K: Hash + Eq + Ord + Copy, V: Weight> Groups<K, V> {
    /// A table of at most `capacity` groups; it takes memory as it fills.
    pub(super) fn new(capacity: usize) -> Self {
        let seed = Seed(RandomState::new().hash_one(capacity));
        Self { table: HashMap::with_hasher(seed), seed, capacity, dropped: 0, sketch: Vec::new(), marks: Vec::new() }
    }

    /// The counts of this group, to be added to.
    #[inline]
    pub(super) fn counts(&mut self, key: K) -> &mut V {
        if self.table.len() >= self.capacity && !self.table.contains_key(&key) {
            self.shed();
        }
        let group = self.table.entry(key).or_insert_with_key(|key| {
            let hash = self.seed.hash_one(key);
            mark(&mut self.marks, hash);
            let missed = cells(hash).map(|cell| self.sketch.get(cell).copied().unwrap_or(0)).min();
            Group { counts: V::default(), missed_at_most: missed.unwrap_or(0) }
        });
        &mut group.counts
    }

    /// Drops the smaller half; where the median is shared by many, those all, so that what is kept does not depend on
    /// the order of the table.
    #[cold]
    fn shed(&mut self) {
        let mut weights: Vec<u32> = self.table.values().map(|group| group.counts.weight()).collect();
        weights.sort_unstable();
        let cutoff = weights.get(weights.len() / 2).copied().unwrap_or(0);
        if self.sketch.is_empty() {
            self.sketch.resize(CELLS * ROWS, 0);
            self.marks.resize(MARKS / 64, 0);
            self.table.keys().for_each(|key| mark(&mut self.marks, self.seed.hash_one(key)));
        }
        let (seed, sketch, dropped) = (self.seed, &mut self.sketch, &mut self.dropped);
        self.table.retain(|key, group| {
            let weight = group.counts.weight();
            if weight > cutoff {
                return true;
            }
            for cell in cells(seed.hash_one(key)) {
                if let Some(count) = sketch.get_mut(cell) {
                    *count = count.saturating_add(weight);
                }
            }
            *dropped += u64::from(weight);
            false
        });
    }

    /// Ends the counting.
    pub(super) fn largest(self, at_most: usize) -> Largest<K, V> {
        let mut sockets = self.dropped;
        let mut ranks = BTreeSet::new();
        for (key, group) in &self.table {
            let weight = group.counts.weight();
            sockets += u64::from(weight);
            ranks.insert((Reverse(weight), *key));
            if ranks.len() > at_most {
                ranks.pop_last();
            }
        }
        let kept = self.table.len() as u64;
        let seen = if self.marks.is_empty() { kept } else { estimate(&self.marks).max(kept) };
        let mut table = self.table;
        let groups = ranks.into_iter().filter_map(|(_, key)| table.remove_entry(&key)).collect();
        Largest { groups, seen, sockets }
    }
}

/// Sets the bit of this hash, if there are any yet.
fn mark(marks: &mut [u64], hash: u64) {
    let bit = (hash >> (64 - MARKS.ilog2())) as usize;
    if let Some(word) = marks.get_mut(bit / 64) {
        *word |= 1 << (bit % 64);
    }
}

/// How many different hashes leave so many bits unset (linear counting).
fn estimate(marks: &[u64]) -> u64 {
    let unset: u32 = marks.iter().map(|word| word.count_zeros()).sum();
    let all = MARKS as f64;
    (all * (all / f64::from(unset.max(1))).ln()).round() as u64
}

/// Where the sketch counts this hash, one cell a row.
fn cells(hash: u64) -> impl Iterator<Item = usize> {
    (0..ROWS).map(move |row| row * CELLS + (hash >> (row * 13)) as usize % CELLS)
}

/// A hash by folded multiplication, started from a random number: `std`'s own one would cost as much as the kernel
/// takes to write a fifth of a record.
#[derive(Debug, Clone, Copy)]
struct Seed(u64);

impl BuildHasher for Seed {
    type Hasher = Fold;

    #[inline]
    fn build_hasher(&self) -> Fold {
        Fold(self.0)
    }
}

#[derive(Debug)]
struct Fold(u64);

impl Hasher for Fold {
    #[inline]
    fn write_u64(&mut self, word: u64) {
        // The rotation keeps a factor of zero from hiding what came before it.
        self.0 = fold(self.0 ^ word).wrapping_add(self.0.rotate_left(23));
    }

    #[inline]
    fn write_u16(&mut self, word: u16) {
        self.write_u64(u64::from(word));
    }

    fn write(&mut self, bytes: &[u8]) {
        bytes.iter().for_each(|&byte| self.write_u64(u64::from(byte)));
    }

    #[inline]
    fn finish(&self) -> u64 {
        // Once more, for a single round leaves keys that differ in a few bits close together.
        fold(self.0)
    }
}

/// Both halves of a product in one word: each bit of the factor reaches most of it.
#[inline]
const fn fold(word: u64) -> u64 {
    // An odd constant with about as many ones as zeros, from the fraction of pi.
    let product = word as u128 * 0x243f_6a88_85a3_08d3;
    product as u64 ^ (product >> 64) as u64
}

#[cfg(test)]
mod tests {
    use std::collections::HashSet;

    use super::*;

    impl Weight for u64 {
        fn weight(&self) -> u32 {
            u32::try_from(*self).unwrap()
        }
    }

    fn count(capacity: usize, keys: impl Iterator<Item = u16>) -> Groups<u16, u64> {
        let mut groups = Groups::new(capacity);
        keys.for_each(|key| *groups.counts(key) += 1);
        groups
    }

    #[test]
    fn groups_that_fit_are_exact_and_ordered_by_size_then_key() {
        let largest = count(8, [5, 3, 9, 3, 5, 3].into_iter()).largest(2);
        let listed: Vec<_> = largest.groups.iter().map(|(key, group)| (*key, group.counts)).collect();
        assert_eq!(listed, [(3, 3), (5, 2)]);
        assert_eq!((largest.seen, largest.sockets), (3, 6));
        assert!(largest.groups.iter().all(|(_, group)| group.missed_at_most == 0));
    }

    #[test]
    fn a_large_group_survives_a_flood_of_small_ones_and_no_socket_is_lost_from_the_sum() {
        // Every 20th socket belongs to group 7, the others are alone in theirs.
        let keys = (1000..21_000u16).map(|key| if key % 20 == 0 { 7 } else { key });
        let groups = count(256, keys);
        assert!(groups.table.len() <= 256);
        let largest = groups.largest(1);
        assert_eq!((largest.groups[0].0, largest.groups[0].1.counts), (7, 1000));
        assert_eq!(largest.groups[0].1.missed_at_most, 0, "it was never dropped");
        assert_eq!(largest.sockets, 20_000);
        assert!(largest.seen.abs_diff(19_001) < 19_001 / 20, "an estimate within 5 %: {}", largest.seen);
    }

    #[test]
    fn a_group_that_comes_back_says_what_it_may_lack() {
        let first = [7, 7, 7].into_iter();
        let flood = (1000..1064u16).flat_map(|key| [key; 4]);
        let again = [7; 9].into_iter();
        let largest = count(32, first.chain(flood).chain(again)).largest(1);
        let (key, group) = &largest.groups[0];
        assert_eq!((*key, group.counts), (7, 9), "the first three are gone");
        assert!(group.missed_at_most >= 3, "and it knows of them: {}", group.missed_at_most);
        assert_eq!(largest.sockets, 3 + 256 + 9);
    }

    #[test]
    fn an_empty_table_has_nothing_to_tell() {
        let largest = Groups::<u16, u64>::new(4).largest(4);
        assert_eq!((largest.groups.len(), largest.seen, largest.sockets), (0, 0, 0));
    }

    #[test]
    fn hashes_of_neighbouring_keys_spread_over_the_sketch() {
        let seed = Seed(0);
        let mut rows = vec![HashSet::new(); ROWS];
        for key in 0..4096u64 {
            for (row, cell) in cells(seed.hash_one(key << 32)).enumerate() {
                rows[row].insert(cell);
            }
        }
        // 4096 balls into 8192 cells leave about 3220 cells occupied.
        assert!(rows.iter().all(|row| row.len() > 2900), "{:?}", rows.iter().map(HashSet::len).collect::<Vec<_>>());
    }
}
