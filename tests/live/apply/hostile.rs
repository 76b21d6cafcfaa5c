//! Plans and files that want something else written: refused, and nothing is written.

use std::fs::{self, Permissions};
use std::os::unix::fs::{PermissionsExt, symlink};

use super::scene::{DROP_IN, Run, Scene, THREE};

fn refused(scene: &Scene, why: &str, plan: &str) -> Run {
    let run = scene.run(&["apply", plan, "--yes"]);
    assert_eq!(run.code, Some(2), "{why}: {run:?}");
    assert!(run.err.contains(why), "{why}: {run:?}");
    assert!(scene.is_old(THREE), "{why}");
    assert!(scene.drop_in().is_none() && !scene.state().join("changes/1").exists(), "{why}");
    run
}

#[test]
fn keys_that_lead_elsewhere_are_refused_with_the_whole_plan() {
    let scene = Scene::enter();
    for key in [
        "net.core.../../../../tmp/x",
        "../../../etc/passwd",
        "/proc/sys/net/core/somaxconn",
        "/etc/passwd",
        "net.core.somaxconn\0",
        "net/core/somaxconn",
        "kernel.core_pattern",
        "kernel.modprobe",
        "net.ipv4.conf.//.forwarding",
        "net.ipv4.conf./.forwarding",
        "net.ipv4.conf.*.forwarding",
        "net.ipv4.conf.../../../../tmp/x.forwarding",
        "",
    ] {
        let mut plan = scene.plan_json(THREE);
        plan["changes"][2]["key"] = key.into();
        refused(&scene, "is not a sysctl that this program changes", &scene.write_plan(&plan));
    }
}

#[test]
fn values_that_are_more_than_a_value_are_refused() {
    let scene = Scene::enter();
    for value in ["30\nkernel.core_pattern=|/tmp/x", "30 # x", "", "-", "0x", "1 2", "99999999999999999999"] {
        let mut plan = scene.plan_json(THREE);
        plan["changes"][1]["proposed"] = value.into();
        refused(&scene, "net.ipv4.tcp_fin_timeout", &scene.write_plan(&plan));
    }
    let mut plan = scene.plan_json(THREE);
    plan["changes"][1]["rules"] = serde_json::json!(["a\nkernel.core_pattern=|/tmp/x"]);
    refused(&scene, "is not the id of a rule", &scene.write_plan(&plan));
}

#[test]
fn other_hosts_other_schemas_and_noise_are_refused() {
    let scene = Scene::enter();
    let mut plan = scene.plan_json(THREE);
    plan["schema"] = "sysctl-advisor/plan/2".into();
    refused(&scene, "sysctl-advisor/plan/1", &scene.write_plan(&plan));
    let mut plan = scene.plan_json(THREE);
    plan["run"] = "/bin/sh".into();
    refused(&scene, "unknown field", &scene.write_plan(&plan));
    let file = scene.plan(THREE);
    for noise in [&b""[..], b"{", b"[]", b"\xff\xfe", b"null"] {
        fs::write(&file, noise).unwrap();
        refused(&scene, "plan.json", &file);
    }
    fs::write(&file, "[".repeat(1 << 20)).unwrap();
    refused(&scene, "this is not a plan", &file);
    for (place, value) in [("hostname", "elsewhere"), ("boot_id", "00000000-0000-4000-8000-000000000000")] {
        let mut plan = scene.plan_json(THREE);
        plan["host"][place] = value.into();
        let run = scene.run(&["apply", &scene.write_plan(&plan), "--yes"]);
        assert!(run.code == Some(4) && scene.is_old(THREE), "{run:?}");
    }
    let mut plan = scene.plan_json(THREE);
    plan["changes"][0]["namespace_id"] = "net:[1]".into();
    let run = scene.run(&["apply", &scene.write_plan(&plan), "--yes"]);
    assert!(run.code == Some(4) && run.err.contains("does not exist any more") && scene.is_old(THREE), "{run:?}");
}

#[test]
fn a_plan_that_others_may_write_or_that_is_a_link_is_refused() {
    let scene = Scene::enter();
    let plan = scene.plan(THREE);
    for mode in [0o666, 0o620, 0o602] {
        fs::set_permissions(&plan, Permissions::from_mode(mode)).unwrap();
        refused(&scene, "others may write to it", &plan);
    }
    fs::set_permissions(&plan, Permissions::from_mode(0o644)).unwrap();
    std::os::unix::fs::chown(&plan, Some(1000), None).unwrap();
    refused(&scene, "belongs to user 1000", &plan);
    std::os::unix::fs::chown(&plan, Some(0), None).unwrap();
    let link = scene.folder.path().join("link.json");
    symlink(&plan, &link).unwrap();
    refused(&scene, "symbolic link", link.to_str().unwrap());
    let config = scene.folder.path().join("config.toml");
    fs::write(&config, "").unwrap();
    fs::set_permissions(&config, Permissions::from_mode(0o666)).unwrap();
    let run = scene.run(&["apply", &plan, "--yes", "--config", config.to_str().unwrap()]);
    assert!(run.code == Some(2) && run.err.contains("others may write") && scene.is_old(THREE), "{run:?}");
}

#[test]
fn what_the_configuration_forbids_is_not_written() {
    let scene = Scene::enter();
    let config = scene.folder.path().join("config.toml");
    for (policy, why) in [
        ("never = [\"net.core.*\"]", "does not allow this key"),
        ("only = [\"net.ipv4.*\"]", "does not allow this key"),
        ("max_changes = 2", "2 are allowed"),
    ] {
        fs::write(&config, format!("[apply]\n{policy}\n")).unwrap();
        let run = scene.run(&["apply", &scene.plan(THREE), "--yes", "--config", config.to_str().unwrap()]);
        assert!(run.code == Some(2) && run.err.contains(why) && scene.is_old(THREE), "{policy}: {run:?}");
    }
    let mut plan = scene.plan_json(THREE);
    plan["changes"][1]["risk"] = "high".into();
    fs::write(&config, "[apply]\nmax_risk = \"medium\"\n").unwrap();
    let run = scene.run(&["apply", &scene.write_plan(&plan), "--yes", "--config", config.to_str().unwrap()]);
    assert!(run.code == Some(2) && run.err.contains("max_risk") && scene.is_old(THREE), "{run:?}");
}

#[test]
fn a_link_in_place_of_the_state_or_the_journal_is_refused() {
    let scene = Scene::enter();
    let elsewhere = scene.folder.path().join("elsewhere");
    fs::create_dir(&elsewhere).unwrap();
    let plan = scene.plan(THREE);
    symlink(&elsewhere, scene.state()).unwrap();
    refused(&scene, "symbolic link", &plan);
    fs::remove_file(scene.state()).unwrap();
    fs::create_dir(scene.state()).unwrap();
    symlink(&elsewhere, scene.state().join("changes")).unwrap();
    refused(&scene, "symbolic link", &plan);
    fs::remove_file(scene.state().join("changes")).unwrap();
    fs::create_dir(scene.state().join("changes")).unwrap();
    // A link where the journal is being made is removed, not followed.
    symlink(&elsewhere, scene.state().join("changes/.new")).unwrap();
    scene.ok(&["apply", &plan, "--yes"]);
    assert!(Scene::names(&elsewhere).is_empty());
    // A journal that was exchanged later is not believed.
    fs::rename(scene.journal("steps.jsonl"), elsewhere.join("steps.jsonl")).unwrap();
    symlink(elsewhere.join("steps.jsonl"), scene.journal("steps.jsonl")).unwrap();
    for command in [&["rollback", "1", "--yes"][..], &["confirm", "1"]] {
        let run = scene.run(command);
        assert!(run.code == Some(2) && run.err.contains("symbolic link") && scene.is_new(THREE), "{run:?}");
    }
}

#[test]
fn a_link_in_place_of_the_drop_in_is_refused() {
    let scene = Scene::enter();
    let target = scene.folder.path().join("target");
    fs::write(&target, "keep\n").unwrap();
    scene.ok(&["apply", &scene.plan(THREE), "--yes"]);
    symlink(&target, scene.path(DROP_IN)).unwrap();
    let run = scene.run(&["confirm"]);
    assert!(run.code == Some(2) && run.err.contains("symbolic link"), "{run:?}");
    assert_eq!(fs::read_to_string(&target).unwrap(), "keep\n");
    assert!(scene.path(DROP_IN).is_symlink());
    fs::remove_file(scene.path(DROP_IN)).unwrap();
    scene.ok(&["confirm"]);
}
