//! The names of keys that each interface has for itself: `net.ipv4.conf.eth0.rp_filter`.
//!
//! In: a key's name in our form. Out: its parts, and the name under which the catalogue has the key. Must not: know a key, or
//! which interfaces there are.

/// A name in its parts.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct InterfaceKey<'a> {
    /// `ipv4` or `ipv6`.
    pub family: &'a str,
    /// `conf` or `neigh`.
    pub folder: &'a str,
    /// The interface (`eth0/5` is `eth0.5`), or `all`, `default`, or `*` for each of them.
    pub who: &'a str,
    pub name: &'a str,
}

impl<'a> InterfaceKey<'a> {
    /// `None` for every other key.
    pub fn of(key: &'a str) -> Option<Self> {
        let mut parts = key.strip_prefix("net.")?.split('.');
        let (family, folder, who, name) = (parts.next()?, parts.next()?, parts.next()?, parts.next()?);
        let fits = ["ipv4", "ipv6"].contains(&family) && ["conf", "neigh"].contains(&folder);
        (fits && !who.is_empty() && !name.is_empty() && parts.next().is_none()).then_some(Self {
            family,
            folder,
            who,
            name,
        })
    }

    /// A name as people write it: `net.ipv4.conf["eth0.5"].rp_filter`, `net.ipv4.conf.eth0.5.rp_filter`, in our own form. Others
    /// as they are.
    pub fn spelled(name: &str) -> String {
        let plain = name.replace("[\"", ".").replace("['", ".").replace("\"]", "").replace("']", "");
        let parts: Vec<&str> = plain.split('.').collect();
        match *parts {
            ["net", family @ ("ipv4" | "ipv6"), folder @ ("conf" | "neigh"), ref who @ .., key] if who.len() > 1 => {
                format!("net.{family}.{folder}.{}.{key}", who.join("/"))
            }
            _ => plain,
        }
    }

    /// The interface as the kernel writes it.
    pub fn interface(&self) -> String {
        self.who.replace('/', ".")
    }

    /// The same key of another interface.
    pub fn with(&self, who: &str) -> String {
        format!("net.{}.{}.{who}.{}", self.family, self.folder, self.name)
    }

    /// The name of the catalogue's entry.
    pub fn general(&self) -> String {
        self.with("*")
    }

    /// Whether it is the key of one interface.
    pub fn is_of_one(&self) -> bool {
        !["all", "default", "*"].contains(&self.who)
    }
}

/// The name with `*` for an interface, and the interface; other names as they are.
pub(super) fn general(key: &str) -> (String, Option<&str>) {
    InterfaceKey::of(key).map_or_else(|| (key.to_owned(), None), |parts| (parts.general(), Some(parts.who)))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn keys_of_interfaces_are_taken_apart() {
        let key = InterfaceKey::of("net.ipv4.conf.eth0/5.rp_filter").unwrap();
        assert_eq!((key.family, key.folder, key.who, key.name), ("ipv4", "conf", "eth0/5", "rp_filter"));
        assert_eq!((key.general(), key.with("all")).1, "net.ipv4.conf.all.rp_filter");
        assert!(key.is_of_one() && !InterfaceKey::of("net.ipv6.neigh.default.locktime").unwrap().is_of_one());
        for key in ["net.ipv4.tcp_sack", "net.ipv4.conf.all", "vm.a.b.c.d", "net.ipv4.conf..x", "net.core.conf.a.b"] {
            assert_eq!(InterfaceKey::of(key), None, "{key}");
        }
        for name in
            ["net.ipv4.conf.eth0.5.rp_filter", "net.ipv4.conf[\"eth0.5\"].rp_filter", "net.ipv4.conf.eth0/5.rp_filter"]
        {
            assert_eq!(InterfaceKey::spelled(name), "net.ipv4.conf.eth0/5.rp_filter");
        }
        assert_eq!(InterfaceKey::spelled("net.ipv4.tcp_rmem"), "net.ipv4.tcp_rmem");
        assert_eq!(key.interface(), "eth0.5");
        assert_eq!(general("net.ipv4.tcp_sack"), ("net.ipv4.tcp_sack".to_owned(), None));
    }
}
