//! Manifests for a cluster, validated with the schemas that Kubernetes publishes for each version.

use sysctl_advisor::export::kubernetes::{NEWEST, SAFE, is_safe_in};

use crate::place::{Place, needs_tool};

/// A deployment with the patch in it, as `kubectl patch` makes it.
const MERGE: &str = "import sys, yaml
patch = yaml.safe_load(open('patch.yaml'))
assert set(patch) == {'spec'} and set(patch['spec']['template']['spec']) == {'securityContext'}, patch
print(yaml.safe_dump({'apiVersion': 'apps/v1', 'kind': 'Deployment', 'metadata': {'name': 'web'}, 'spec': {
    'selector': {'matchLabels': {'app': 'web'}}, 'template': {'metadata': {'labels': {'app': 'web'}}, 'spec': {
        'containers': [{'name': 'web', 'image': 'web'}], **patch['spec']['template']['spec']}}}}))
";

#[test]
fn the_schemas_of_kubernetes_accept_a_deployment_with_the_patch() {
    needs_tool("kubernetes-validate");
    let place = Place::new();
    let plan = place.plan();
    std::fs::write(place.work.path().join("merge.py"), MERGE).unwrap();
    for version in ["1.25".to_owned(), "1.32".to_owned(), format!("1.{NEWEST}")] {
        place.ok(&format!("sysctl-advisor export kubernetes --kubernetes-version {version} plan.json -o patch.yaml"));
        place.ok("/usr/bin/python3 merge.py > web.yaml");
        place.ok(&format!("kubernetes-validate -k {version} --strict web.yaml"));
    }
    let manifest = place.ok("cat web.yaml");
    assert!(plan.iter().all(|(key, _)| manifest.contains(&format!("name: {key}\n"))), "{manifest}");
    // A number instead of a text is refused.
    place.ok("sed \"s/value: '1'/value: 1/\" web.yaml > number.yaml");
    let refused = place.sh(&format!("kubernetes-validate -k 1.{NEWEST} --strict number.yaml 2>&1"));
    let said = String::from_utf8_lossy(&refused.stdout);
    assert!(!refused.status.success() && said.contains("1 is not of type 'string'"), "{said}");
}

#[test]
fn the_kubelet_allows_exactly_what_is_not_safe_in_the_version() {
    let place = Place::new();
    let plan = place.plan();
    for minor in [25, 29, 32, NEWEST] {
        place.ok(&format!(
            "sysctl-advisor export kubernetes --style kubelet --kubernetes-version 1.{minor} plan.json -o kubelet.yaml"
        ));
        let read = "import yaml; d = yaml.safe_load(open('kubelet.yaml')); \
                    assert (d['apiVersion'], d['kind'], len(d)) == ('kubelet.config.k8s.io/v1beta1', 'KubeletConfiguration', 3); \
                    print(' '.join(d['allowedUnsafeSysctls']))";
        let allowed = place.ok(&format!("/usr/bin/python3 -c \"{read}\""));
        let keys = plan.iter().map(|(key, _)| key.as_str());
        let expected: Vec<&str> = keys.filter(|key| !is_safe_in(key, Some(minor))).collect();
        assert_eq!(allowed.split_whitespace().collect::<Vec<_>>(), expected, "1.{minor}");
    }
}

#[test]
fn the_table_of_safe_keys_is_the_published_one() {
    let published = include_str!("../data/kubernetes-safe-sysctls.txt");
    let rows = published.lines().filter(|line| !line.starts_with('#')).map(|line| {
        let (key, since) = line.split_once(' ').unwrap();
        (key, since.strip_prefix("1.").unwrap().parse::<u32>().unwrap())
    });
    let (networking, others): (Vec<_>, Vec<_>) = rows.partition(|(key, _)| key.starts_with("net."));
    assert_eq!(SAFE.to_vec(), networking);
    assert_eq!(others, [("kernel.shm_rmid_forced", 0)], "not a key of this program");
    assert_eq!(SAFE.iter().map(|(_, since)| *since).max(), Some(NEWEST));
    // The page for people has the same table.
    let page = include_str!("../../docs/integrations/kubernetes.md");
    for (key, since) in SAFE {
        let since = if since == 0 { "the beginning".to_owned() } else { format!("1.{since}") };
        let row = page.lines().find(|line| line.starts_with("| `") && line.contains(&format!("`{key}`")));
        assert!(row.is_some_and(|row| row.ends_with(&format!("| {since} |"))), "{key}: {row:?}");
    }
}
