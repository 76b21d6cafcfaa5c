//! The routes of the namespace: `routes.*`.

use crate::metrics::table::{FirstRead, Row, Table, int, whole};
use crate::observe::topology::Routes;

pub(in crate::metrics) static TABLE: Table<Routes> = Table::of_namespace(
    "routes",
    FirstRead::Never,
    |reading| reading.topology()?.routes.as_ref().map(std::slice::from_ref),
    ROWS,
);

#[rustfmt::skip]
const ROWS: &[Row<Routes>] = &[
    int("routes.count", "routes", 4, "routes to other hosts, of IPv4 and IPv6, in every table", |_, routes| whole(routes.count)),
    int("routes.default_ipv4", "routes", 1, "ways of default routes of IPv4", |_, routes| of_family(routes, false)),
    int("routes.default_ipv6", "routes", 0, "ways of default routes of IPv6", |_, routes| of_family(routes, true)),
    int("routes.silent_gateways", "routers", 0, "routers of default routes that did not answer when the kernel asked for their link-layer address (FAILED)", |_, routes| whole(routes.default.iter().filter(|route| route.unresolved).count() as u64)),
    int("routes.policy_rules", "rules", 0, "routing rules beside those of the kernel", |reading, _| whole(reading.topology()?.policy_rules?)),
];

fn of_family(routes: &Routes, ipv6: bool) -> Option<i64> {
    whole(routes.default.iter().filter(|route| route.ipv6 == ipv6).count() as u64)
}
