//! The kernel's own default of a key: `default("net.ipv4.tcp_rmem")`.
//!
//! In: a key, a reading. Out: the value that the kernel gives the key before anybody sets it, or why it is not known.
//! Must not: take the catalogue's default for it; kernels differ.
//!
//! A new network namespace has the compiled-in defaults (`tcp_sk_init` and its like), so a snapshot has them from one that
//! was made for the purpose. Some keys it shows otherwise, and these are computed: `tcp_set_hashinfo` sizes two of them by
//! the hash table of the namespace that makes the new one, and `tcp_sk_init` copies the buffers of the first namespace,
//! where `tcp_init` once computed them from the memory.

use super::reading::Reading;
use super::sysctl::key_value;
use super::value::Value;
use crate::keys::{self, Key, Scope};
use crate::observe::system::SystemFacts;

const RMEM: &str = "net.ipv4.tcp_rmem";
const WMEM: &str = "net.ipv4.tcp_wmem";
const TW_BUCKETS: &str = "net.ipv4.tcp_max_tw_buckets";
const SYN_BACKLOG: &str = "net.ipv4.tcp_max_syn_backlog";

/// Where the default of a key is from.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Source {
    /// A new network namespace shows it.
    NewNamespace,
    /// It is computed from the memory and the release of the kernel.
    Memory,
    /// It is computed from the namespace's hash table.
    HashTable,
}

/// The name by which expressions, tests and snapshots' readers know the default of a key.
pub fn name(key: &str) -> String {
    format!("default(\"{key}\")")
}

/// The key of such a name.
pub fn key_of(name: &str) -> Option<&str> {
    name.strip_prefix("default(\"")?.strip_suffix("\")")
}

/// The key of such a name, if a new network namespace has to be asked.
pub fn asked_of_the_kernel(name: &str) -> Option<&str> {
    key_of(name).filter(|key| keys::catalogue().get(key).is_some_and(is_shown))
}

/// Whether a new network namespace shows the default of the key.
pub fn is_shown(key: &Key) -> bool {
    source(key) == Ok(Source::NewNamespace)
}

/// Where the default of a key is from, or why it is not known.
pub fn source(key: &Key) -> Result<Source, &'static str> {
    match key.name.as_str() {
        _ if key.scope != Scope::Namespace => {
            Err("belongs to the whole machine, and no new namespace shows its default")
        }
        _ if key.read_only => Err("is read-only, and has no default"),
        RMEM | WMEM => Ok(Source::Memory),
        TW_BUCKETS | SYN_BACKLOG => Ok(Source::HashTable),
        name if name == "net.ipv4.tcp_congestion_control" || keys::InterfaceKey::of(name).is_some() => {
            Err("is copied from the first namespace, so no new namespace shows its default")
        }
        _ => Ok(Source::NewNamespace),
    }
}

/// What to say of a name whose key has no default that can be known.
pub(super) fn hint(key: &str) -> Option<String> {
    match keys::catalogue().get(key) {
        Some(key) => source(key).err().map(|why| format!("`{}` {why}", key.name)),
        None => {
            let near = keys::catalogue().suggest(key);
            let near = near.filter(|near| keys::catalogue().get(near).is_some_and(|key| source(key).is_ok()));
            near.map(|near| format!("did you mean `{near}`?"))
                .or_else(|| Some("`sysctl-advisor rules metrics` prints all keys".to_owned()))
        }
    }
}

pub(super) fn value(reading: &Reading<'_>, key: &str) -> Option<Value> {
    let key = keys::catalogue().get(key)?;
    match source(key).ok()? {
        Source::NewNamespace => key_value(key, reading.snapshot.defaults.as_ref()?.values.get(&key.name)?).ok(),
        Source::Memory => buffers(reading, key),
        Source::HashTable => {
            let buckets = buckets(reading)?;
            Some(Value::Int(if key.name == TW_BUCKETS { buckets / 2 } else { (buckets / 128).max(128) }))
        }
    }
}

/// Why there is no value.
pub(super) fn why_missing(reading: &Reading<'_>, key: &str) -> String {
    let source = keys::catalogue().get(key).map(source);
    let why = match (source, &reading.snapshot.defaults) {
        (Some(Ok(Source::Memory)), _) => "the memory or the release of the kernel is not known",
        (Some(Ok(Source::HashTable)), _) => "the size of the hash table is not known",
        (_, None) => "the snapshot does not contain it",
        (_, Some(defaults)) => match &defaults.failed {
            Some(why) => why,
            None => "this kernel does not have the key",
        },
    };
    format!("the kernel's own default of {key} could not be read: {why}")
}

/// What a reader can do about a default that could not be read.
pub fn remedy(key: &str) -> String {
    match keys::catalogue().get(key).is_some_and(is_shown) {
        true => format!("A new network namespace shows it: `unshare --net sysctl {key}`."),
        false => format!("`sysctl-advisor explain {key}` shows how the kernel computes it."),
    }
}

/// Buckets of the hash table of TCP connections, of which `tcp_set_hashinfo` and `tcp_init` make limits. The kernel shows
/// a number below zero where the table is that of the first namespace.
pub(super) fn buckets(reading: &Reading<'_>) -> Option<i64> {
    if let Some(Value::Int(buckets)) = reading.sysctl("net.ipv4.tcp_ehash_entries") {
        return buckets.checked_abs();
    }
    // Without this key the sysctls of the namespace were not read at all.
    reading.sysctl(TW_BUCKETS)?;
    // Before 6.2 every namespace has the table of the machine: a bucket for 128 KiB, rounded up to a power of two.
    let half = (reading.system?.memory_bytes? / 262_144).clamp(1, 262_144);
    i64::try_from(half.next_power_of_two() * 2).ok()
}

/// `tcp_rmem` or `tcp_wmem` as `tcp_init` computes them. It has the memory less what the kernel keeps free, which only the
/// kernel knows; so the maximum is up to some 1 % too large below the cap. Where the namespace, or the first one of the
/// machine, has nearly these numbers, they are the default to the byte.
fn buffers(reading: &Reading<'_>, key: &Key) -> Option<Value> {
    let computed = computed(reading.system?, key)?;
    let first = reading.snapshot.namespaces.iter().filter(|namespace| namespace.initial);
    let seen = first.chain([reading.namespace]).filter_map(|namespace| namespace.sysctls.get(&key.name));
    let mut seen =
        seen.filter_map(|text| if let Ok(Value::Ints(seen)) = key_value(key, text) { Some(seen) } else { None });
    let is_near = |seen: &Vec<i64>| match (seen.as_slice(), computed) {
        ([low, start, most], [own_low, own_start, own_most]) => {
            (*low, *start) == (own_low, own_start) && most.abs_diff(own_most) <= own_most.unsigned_abs() / 50
        }
        _ => false,
    };
    Some(Value::Ints(seen.find(is_near).unwrap_or_else(|| computed.to_vec())))
}

/// Sources: net/ipv4/tcp.c, `tcp_init`; commits a337531b942b (4.20: 128 KiB to start with), 572be9bf9d0d (6.16: up to
/// 32 MiB).
fn computed(system: &SystemFacts, key: &Key) -> Option<[i64; 3]> {
    const MIB: i64 = 1 << 20;
    let release = keys::release(&system.kernel)?;
    // Up to 5.19 the unit of accounting was 4 KiB on every machine.
    let least = if release >= (6, 0) { i64::try_from(system.page_bytes?).ok()? } else { 4096 };
    let share = i64::try_from(system.memory_bytes? / 128).ok()?;
    Some(if key.name == RMEM {
        let start = if release >= (4, 20) { 131_072 } else { 87_380 };
        let cap = if release >= (6, 16) { 32 * MIB } else { 6 * MIB };
        [least, start, share.min(cap).max(start)]
    } else {
        [least, 16_384, share.clamp(65_536, 4 * MIB)]
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn on(kernel: &str, memory_mib: u64, key: &str) -> [i64; 3] {
        let kernel = kernel.to_owned();
        let memory_bytes = Some(memory_mib << 20);
        let system = SystemFacts { kernel, memory_bytes, page_bytes: Some(4096), ..SystemFacts::default() };
        computed(&system, keys::catalogue().get(key).unwrap()).unwrap()
    }

    #[test]
    fn the_buffers_follow_the_memory_up_to_a_cap_that_the_kernel_s_release_sets() {
        assert_eq!(on("6.18.44-fc", 24_000, RMEM), [4096, 131_072, 33_554_432]);
        assert_eq!(on("6.16.0", 2048, RMEM), [4096, 131_072, 16_777_216]);
        assert_eq!(on("6.15.11", 16_384, RMEM), [4096, 131_072, 6_291_456]);
        assert_eq!(on("4.19.0", 16_384, RMEM), [4096, 87_380, 6_291_456]);
        assert_eq!(on("6.12.0", 8, RMEM), [4096, 131_072, 131_072]);
        assert_eq!(on("6.18.0", 16_384, WMEM), [4096, 16_384, 4_194_304]);
        assert_eq!(on("6.18.0", 256, WMEM), [4096, 16_384, 2_097_152]);
    }

    #[test]
    fn a_key_of_the_machine_a_copied_one_and_a_read_only_one_have_no_default_to_read() {
        let of = |key: &str| source(keys::catalogue().get(key).unwrap());
        assert_eq!(of("net.ipv4.tcp_fin_timeout"), Ok(Source::NewNamespace));
        for key in
            ["net.core.rmem_max", "net.ipv4.tcp_mem", "net.ipv4.tcp_congestion_control", "net.ipv4.tcp_ehash_entries"]
        {
            assert!(of(key).is_err(), "{key}");
            assert!(hint(key).unwrap().starts_with(&format!("`{key}` ")));
        }
        assert_eq!(hint("net.ipv4.tcp_rmm").unwrap(), "did you mean `net.ipv4.tcp_rmem`?");
    }

    #[test]
    fn the_name_and_the_key_find_each_other() {
        assert_eq!(key_of(&name("net.ipv4.tcp_rmem")), Some("net.ipv4.tcp_rmem"));
        assert_eq!((key_of("default"), key_of("net.ipv4.tcp_rmem")), (None, None));
        assert_eq!(asked_of_the_kernel(&name("net.ipv4.tcp_rmem")), None, "it is computed");
    }
}
