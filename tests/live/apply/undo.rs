//! Surprises half way, and values that someone else changed.

use std::fs;

use super::scene::{DROP_IN, Scene, THREE};

/// The kernel refuses a port range that begins below `ip_unprivileged_port_start`; the catalogue cannot know.
const REFUSED: (&str, &str, &str) = ("net.ipv4.ip_local_port_range", "32768 60999", "500 60999");

#[test]
fn a_value_that_the_kernel_refuses_half_way_undoes_everything_before_it() {
    let scene = Scene::enter();
    let changes = [THREE[0], THREE[1], REFUSED, ("net.ipv4.tcp_sack", "1", "0")];
    let run = scene.run(&["apply", &scene.plan(&changes), "--yes"]);
    assert_eq!(run.code, Some(4), "{run:?}");
    assert!(scene.is_old(&changes), "{run:?}");
    assert!(run.err.contains("the kernel rejected 500 60999") && run.err.contains("Invalid argument"), "{run:?}");
    assert!(run.out.contains("net.core.somaxconn: restored to 4096") && !run.out.contains("tcp_sack: 1 ->"), "{run:?}");
    assert!(scene.ok(&["changes"]).out.contains("rolled back"));
    // It stands in nobody's way.
    scene.ok(&["apply", &scene.plan(THREE), "--yes"]);
}

#[test]
fn a_value_that_the_kernel_changes_half_way_undoes_everything_before_it() {
    let scene = Scene::enter();
    // It counts in ticks of the kernel: milliseconds that are no whole tick read back as others.
    let key = "net.ipv4.tcp_invalid_ratelimit";
    let old = scene.lab.sysctl(key);
    fs::write(format!("/proc/sys/{}", key.replace('.', "/")), "501").unwrap();
    let taken = scene.lab.sysctl(key);
    scene.lab.set(key, &old);
    assert_ne!(taken, "501", "this kernel's tick is a millisecond: another key is needed here");
    let changes = [THREE[0], (key, old.as_str(), "501"), THREE[1]];
    let run = scene.run(&["apply", &scene.plan(&changes), "--yes"]);
    assert_eq!(run.code, Some(4), "{run:?}");
    assert!(run.err.contains(&format!("the kernel changed it to {taken}")), "{run:?}");
    assert!(scene.is_old(&changes), "{run:?}");
}

#[test]
fn a_value_changed_between_plan_and_apply_stops_everything_before_it_begins() {
    let scene = Scene::enter();
    let plan = scene.plan(THREE);
    scene.lab.set("net.ipv4.tcp_fin_timeout", "45");
    let run = scene.run(&["apply", &plan, "--yes"]);
    assert_eq!(run.code, Some(4));
    assert!(run.err.contains("tcp_fin_timeout is 45, not 60; nothing was changed"), "{run:?}");
    assert!(scene.lab.sysctl("net.core.somaxconn") == "4096" && !scene.state().join("changes").exists());
}

#[test]
fn what_someone_else_changed_since_is_left_to_them_unless_forced() {
    let scene = Scene::enter();
    scene.ok(&["apply", &scene.plan(THREE), "--yes"]);
    scene.lab.set("net.ipv4.tcp_fin_timeout", "45");
    let run = scene.run(&["rollback", "1", "--yes"]);
    assert_eq!(run.code, Some(5), "{run:?}");
    assert!(run.err.contains("tcp_fin_timeout is 45 now") && run.err.contains("--force"), "{run:?}");
    assert_eq!(scene.lab.sysctl("net.core.somaxconn"), "8192", "nothing is done by halves");
    let run = scene.run(&["confirm", "1"]);
    assert!(run.code == Some(4) && scene.drop_in().is_none(), "{run:?}");
    scene.ok(&["rollback", "1", "--yes", "--force"]);
    assert!(scene.is_old(THREE));
}

#[test]
fn nobody_being_there_to_ask_the_rest_is_rolled_back() {
    let scene = Scene::enter();
    scene.ok(&["apply", &scene.plan(THREE), "--yes"]);
    scene.lab.set("net.ipv4.tcp_fin_timeout", "45");
    let run = scene.ok(&["rollback", "1", "--automatic"]);
    assert!(
        run.out.contains("net.ipv4.tcp_fin_timeout: someone else set it to 45 after the change; not restored"),
        "{run:?}"
    );
    assert_eq!(scene.lab.sysctl("net.core.somaxconn"), "4096");
    assert_eq!(scene.lab.sysctl("net.ipv4.tcp_fin_timeout"), "45");
}

#[test]
fn lines_that_others_wrote_into_the_drop_in_since_are_kept() {
    let scene = Scene::enter();
    scene.ok(&["apply", &scene.plan(&THREE[..1]), "--yes"]);
    scene.ok(&["confirm"]);
    scene.ok(&["apply", &scene.plan(&THREE[1..]), "--yes"]);
    scene.ok(&["confirm"]);
    let run = scene.run(&["rollback", "1", "--yes"]);
    assert!(run.code == Some(5) && run.err.contains("has changed"), "{run:?}");
    assert!(scene.is_new(THREE));
    scene.ok(&["rollback", "1", "--yes", "--force"]);
    let text = scene.drop_in().unwrap();
    assert!(!text.contains("somaxconn") && text.contains("tcp_fin_timeout = 30"), "{text}");
    assert!(scene.is_old(&THREE[..1]) && scene.is_new(&THREE[1..]));
}

#[test]
fn two_at_once_are_told_of_each_other() {
    let scene = Scene::enter();
    fs::create_dir(scene.state()).unwrap();
    let holder = fs::File::create(scene.state().join("lock")).unwrap();
    fs::write(scene.state().join("lock"), "process 4711 (apply)").unwrap();
    holder.lock().unwrap();
    for command in [&["apply", &scene.plan(THREE), "--yes"][..], &["apply", &scene.plan(THREE), "--yes", "-q"]] {
        let run = scene.run(command);
        assert!(run.code == Some(4) && run.err.contains("process 4711 (apply) is changing this host now"), "{run:?}");
    }
    assert!(scene.is_old(THREE));
    drop(holder);
    // Started together for real: whichever comes second finds the lock held, or the values changed.
    let plan = scene.plan(THREE);
    let start = || {
        let mut command = scene.inside(env!("CARGO_BIN_EXE_sysctl-advisor"));
        let command = command.args(["apply", &plan, "--yes", "-q", "--state-dir"]).arg(scene.state());
        command.stdout(std::process::Stdio::null()).stderr(std::process::Stdio::null()).spawn().unwrap()
    };
    let mut codes: Vec<_> = [start(), start()].map(|mut run| run.wait().unwrap().code().unwrap()).into();
    codes.sort_unstable();
    assert_eq!(codes, [0, 4]);
    assert!(scene.is_new(THREE));
    assert_eq!(Scene::names(&scene.state().join("changes")), ["1"]);
}

#[test]
fn an_unconfirmed_change_stands_in_the_way_of_its_own_keys_only() {
    let scene = Scene::enter();
    scene.ok(&["apply", &scene.plan(&THREE[..1]), "--yes"]);
    let again = [("net.core.somaxconn", "8192", "9000")];
    let run = scene.run(&["apply", &scene.plan(&again), "--yes"]);
    assert!(run.code == Some(4) && run.err.contains("change 1 of net.core.somaxconn is not confirmed"), "{run:?}");
    scene.ok(&["apply", &scene.plan(&THREE[1..]), "--yes"]);
    scene.ok(&["rollback", "1", "--yes"]);
    assert!(scene.is_old(&THREE[..1]) && scene.is_new(&THREE[1..]));
}

#[test]
fn a_namespace_that_the_boot_does_not_set_up_gets_no_drop_in() {
    let scene = Scene::enter();
    // A namespace inside of the scene, whose first process lives in the scene's own.
    let plan = scene.plan_json(THREE);
    let plan = scene.write_plan(&plan);
    let program = env!("CARGO_BIN_EXE_sysctl-advisor");
    let state = scene.state();
    let script = format!(
        "id=$(readlink /proc/self/ns/net); sed -i \"s/net:\\[[0-9]*\\]/$id/g\" {plan}
         {program} apply {plan} --yes --state-dir {0} && {program} confirm --state-dir {0} && cat /proc/sys/net/core/somaxconn",
        state.display()
    );
    let out = crate::support::lab::run(scene.inside("unshare").args(["--net", "sh", "-ec", &script]));
    assert!(out.contains("no file was written for the next boot") && out.ends_with("8192\n"), "{out}");
    assert!(scene.drop_in().is_none() && scene.is_old(THREE), "{DROP_IN}");
    assert!(scene.ok(&["changes"]).out.contains("ended, because its network namespace was deleted"));
    let run = scene.ok(&["rollback", "1", "--yes"]);
    assert!(run.out.contains("its network namespace was deleted, so no value of this change is left"), "{run:?}");
    assert!(scene.ok(&["changes"]).out.contains("rolled back"));
}
