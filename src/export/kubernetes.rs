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
    carries_guards: true,
    places_drop_in: false,
    styles: &[
        Style { name: "pod", help: "a patch for a workload's pod template; comments name the rest", write: pod },
        Style { name: "kubelet", help: "what the kubelet of the node has to allow", write: kubelet },
        Style { name: "openshift", help: "a Tuned object for the keys of the node", write: openshift },
    ],
    refuses: |_| None,
};

/// Keys that a pod may set without the kubelet's permission, and the version that made them safe.
/// Source: `pkg/kubelet/sysctl/safe_sysctls.go` of Kubernetes, and the page *Using sysctls in a Kubernetes Cluster*.
const SAFE: [(&str, u32); 11] = [
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
];
/// The minor version of 1 that is assumed without `--kubernetes-version`.
pub(super) const NEWEST: u32 = 32;

/// Where a key is set.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Placement {
    /// By the pod, in every cluster of this version.
    Safe,
    /// By the pod, where the kubelet allows it.
    Unsafe,
    /// On the node: no pod has the key, or none may write it.
    Node,
}

fn placement(change: &PlannedChange, options: &Options) -> Placement {
    let minor = options.kubernetes_minor.unwrap_or(NEWEST);
    if change.key.scope != Scope::Namespace {
        return Placement::Node;
    }
    let since = SAFE.iter().find(|(key, _)| *key == change.name()).map(|(_, since)| *since);
    if since.is_some_and(|since| since <= minor) { Placement::Safe } else { Placement::Unsafe }
}

fn of<'a>(
    document: &'a Document<'_>,
    options: &'a Options,
    place: &'a [Placement],
) -> impl Iterator<Item = &'a PlannedChange> {
    document.changes.iter().copied().filter(|change| place.contains(&placement(change, options)))
}

fn head(document: &Document<'_>, options: &Options) -> String {
    let minor = options.kubernetes_minor.unwrap_or(NEWEST);
    comments::with_sign("#", 0, [comments::head(document), format!("For Kubernetes 1.{minor}.")])
}

fn pod(document: &Document<'_>, options: &Options) -> Vec<Artefact> {
    let mut text = head(document, options);
    let names = |place| of(document, options, place).map(PlannedChange::name).collect::<Vec<_>>();
    let (unsafe_keys, node) = (names(&[Placement::Unsafe]), names(&[Placement::Node]));
    if !unsafe_keys.is_empty() {
        text.push_str(&format!("# The kubelet has to allow: {} (--style kubelet)\n", unsafe_keys.join(", ")));
    }
    if !node.is_empty() {
        text.push_str(&format!(
            "# Keys of the node, which no pod can set: {} (--style openshift, or a format for the\n# machine)\n",
            node.join(", ")
        ));
    }
    let mut sysctls = String::new();
    for change in of(document, options, &[Placement::Safe, Placement::Unsafe]) {
        let note = match placement(change, options) {
            Placement::Safe => "Safe.",
            _ => "Not safe: the kubelet has to allow it.",
        };
        let lines = comments::of(change).into_iter().chain([note.to_owned()]);
        sysctls.push_str(&comments::with_sign("#", 10, lines));
        sysctls.push_str(&format!("          - name: {}\n", change.name()));
        sysctls.push_str(&yaml::text(12, "value", &change.after.to_string()));
    }
    if sysctls.is_empty() {
        text.push_str("spec: {}\n");
    } else {
        text.push_str(&format!("spec:\n  template:\n    spec:\n      securityContext:\n        sysctls:\n{sysctls}"));
    }
    vec![Artefact { path: "pod-sysctls.yaml".to_owned(), text }]
}

fn kubelet(document: &Document<'_>, options: &Options) -> Vec<Artefact> {
    let mut text = head(document, options);
    text.push_str("apiVersion: kubelet.config.k8s.io/v1beta1\nkind: KubeletConfiguration\n");
    let names: String =
        of(document, options, &[Placement::Unsafe]).map(|change| format!("  - {}\n", change.name())).collect();
    if names.is_empty() {
        text.push_str("allowedUnsafeSysctls: []\n");
    } else {
        text.push_str(&format!("allowedUnsafeSysctls:\n{names}"));
    }
    vec![Artefact { path: "kubelet.yaml".to_owned(), text }]
}

/// The object of OpenShift's Node Tuning Operator, whose data is a profile of TuneD.
fn openshift(document: &Document<'_>, options: &Options) -> Vec<Artefact> {
    let changes = of(document, options, &[Placement::Node]).collect();
    let node =
        Document { changes, modules: document.modules.clone(), hostname: document.hostname, made_at: document.made_at };
    let profile = super::tuned::text(&node, Some("openshift-node"));
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
