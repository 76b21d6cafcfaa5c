//! `kubernetes`: a place for each key: the pod, the kubelet that has to allow it, or the node.
//!
//! In: the document, the cluster's version. Out: YAML. Must not: set a key of the node through a pod: a privileged init
//! container would, and nothing would ever take the value back.
//!
//! A pod may set what its own network namespace has. What the kubelet calls *safe* it may set anywhere; for the other keys
//! the kubelet of the node has to name them (`allowedUnsafeSysctls`), else the pod is not started there.

use super::comments;
use super::format::{Format, Style, Target};
use super::model::{Artefact, Document, Options};
use super::yaml;
use crate::keys::Scope;
use crate::plan::model::PlannedChange;

pub(super) const FORMAT: Format = Format {
    name: "kubernetes",
    help: "For each key the pod, the kubelet or the node",
    target: Target::Cluster,
    places_drop_in: false,
    styles: &[
        Style::new("pod", "a patch for the pod template of a workload", pod).refusing(of_node),
        Style::new("kubelet", "what the kubelet of the node has to allow", kubelet).refusing(of_node),
        Style::new("openshift", "a Tuned object for the keys of the node", openshift).refusing(of_pod),
    ],
};

/// Keys that a pod may set without the kubelet's permission, and the version that made them safe.
/// Source: `pkg/kubelet/sysctl/safe_sysctls.go` of Kubernetes, and the page *Using sysctls in a Kubernetes Cluster*.
pub const SAFE: [(&str, u32); 13] = [
    ("net.ipv4.ip_local_port_range", 0),
    ("net.ipv4.tcp_syncookies", 0),
    ("net.ipv4.ping_group_range", 18),
    ("net.ipv4.ip_unprivileged_port_start", 22),
    ("net.ipv4.ip_local_reserved_ports", 27),
    ("net.ipv4.tcp_keepalive_time", 29),
    ("net.ipv4.tcp_fin_timeout", 29),
    ("net.ipv4.tcp_keepalive_intvl", 29),
    ("net.ipv4.tcp_keepalive_probes", 29),
    ("net.ipv4.tcp_rmem", 32),
    ("net.ipv4.tcp_wmem", 32),
    ("net.ipv4.tcp_slow_start_after_idle", 37),
    ("net.ipv4.tcp_notsent_lowat", 37),
];
/// The minor version of 1 that is assumed without `--kubernetes-version`.
pub const NEWEST: u32 = 37;

/// Whether a pod may set the key without the permission of the kubelet. `minor` is 32 for a cluster of 1.32, `None` for the
/// newest that the table knows.
pub fn is_safe_in(key: &str, minor: Option<u32>) -> bool {
    SAFE.iter().any(|(known, since)| *known == key && *since <= minor.unwrap_or(NEWEST))
}

fn is_safe(change: &PlannedChange, options: &Options) -> bool {
    is_safe_in(change.name(), options.kubernetes_minor)
}

fn of_node(change: &PlannedChange) -> Option<String> {
    (change.key.scope != Scope::Namespace).then(|| {
        "no pod can set it, it belongs to the node; use --style openshift, or a format for the machine".to_owned()
    })
}

fn of_pod(change: &PlannedChange) -> Option<String> {
    (change.key.scope == Scope::Namespace)
        .then(|| "on the node it does not reach the pods, each of which has its own; use --style pod".to_owned())
}

fn head(document: &Document<'_>, options: &Options) -> String {
    let minor = options.kubernetes_minor.unwrap_or(NEWEST);
    comments::with_sign("#", 0, [comments::head(document), format!("For Kubernetes 1.{minor}.")])
}

fn pod(document: &Document<'_>, options: &Options) -> Vec<Artefact> {
    let mut text = head(document, options);
    let to_allow = to_allow(document, options);
    if !to_allow.is_empty() {
        text.push_str(&format!("# The kubelet has to allow: {} (--style kubelet)\n", to_allow.join(", ")));
    }
    text.push_str("spec:\n  template:\n    spec:\n      securityContext:\n        sysctls:\n");
    for change in &document.changes {
        let note = if is_safe(change, options) { "Safe." } else { "Not safe: the kubelet has to allow it." };
        text.push_str(&comments::with_sign("#", 10, comments::of(change).into_iter().chain([note.to_owned()])));
        text.push_str(&format!("          - name: {}\n", change.name()));
        text.push_str(&yaml::text(12, "value", &change.after.to_string()));
    }
    vec![Artefact { path: "pod-sysctls.yaml".to_owned(), text }]
}

/// The keys that the kubelet has to name.
fn to_allow(document: &Document<'_>, options: &Options) -> Vec<&'static str> {
    document.changes.iter().filter(|change| !is_safe(change, options)).map(|change| change.name()).collect()
}

fn kubelet(document: &Document<'_>, options: &Options) -> Vec<Artefact> {
    if to_allow(document, options).is_empty() {
        return Vec::new();
    }
    let mut text = head(document, options);
    text.push_str("apiVersion: kubelet.config.k8s.io/v1beta1\nkind: KubeletConfiguration\nallowedUnsafeSysctls:\n");
    for change in document.changes.iter().filter(|change| !is_safe(change, options)) {
        text.push_str(&comments::with_sign("#", 2, comments::of(change)));
        text.push_str(&format!("  - {}\n", change.name()));
    }
    vec![Artefact { path: "kubelet.yaml".to_owned(), text }]
}

/// The object of OpenShift's Node Tuning Operator, whose data is a profile of TuneD.
fn openshift(document: &Document<'_>, options: &Options) -> Vec<Artefact> {
    let profile = super::tuned::text(document, Some("openshift-node"));
    let mut text = head(document, options);
    text.push_str(
        "apiVersion: tuned.openshift.io/v1\nkind: Tuned\nmetadata:\n  name: sysctl-advisor\n  namespace: \
         openshift-cluster-node-tuning-operator\nspec:\n  profile:\n    - name: sysctl-advisor\n",
    );
    text.push_str(&yaml::block(6, "data", &profile));
    text.push_str(
        "  recommend:\n    - match:\n        - label: node-role.kubernetes.io/worker\n      priority: 20\n      profile: \
         sysctl-advisor\n",
    );
    vec![Artefact { path: "tuned.yaml".to_owned(), text }]
}
