//! Under a systemd that booted: its timer rolls back, and what was confirmed is in force after the next boot.

use crate::support::container::Container;
use crate::support::wait_until;

const DROP_IN: &str = "/etc/sysctl.d/90-sysctl-advisor.conf";

fn somaxconn(container: &Container) -> String {
    container.run(&["cat", "/proc/sys/net/core/somaxconn"]).trim_end().to_owned()
}

fn apply(container: &Container, within: &str) -> String {
    container.run(&["sysctl-advisor", "apply", "/root/plan.json", "--yes", "--confirm-within", within])
}

#[test]
fn a_timer_of_systemd_rolls_back_what_nobody_confirms() {
    let container = Container::boot("");
    container.write_plan();
    let said = apply(&container, "2s");
    assert!(said.contains("a timer of systemd rolls it back"), "{said}");
    assert_eq!(somaxconn(&container), "8192");
    let timers = container.run(&["systemctl", "list-timers", "--all", "--no-pager"]);
    assert!(timers.contains("sysctl-advisor-rollback-1.timer"), "{timers}");
    wait_until("the timer fired", || somaxconn(&container) == "4096");
    wait_until("the journal says so", || {
        container.run(&["sysctl-advisor", "changes", "1"]).contains("not confirmed in time")
    });
}

#[test]
fn what_is_confirmed_outlives_the_timer_and_the_boot() {
    let container = Container::boot("");
    container.write_plan();
    apply(&container, "20s");
    let said = container.run(&["sysctl-advisor", "confirm"]);
    assert!(said.contains("the next boot sets them"), "{said}");
    let timers = container.run(&["systemctl", "list-timers", "--all", "--no-pager"]);
    assert!(!timers.contains("sysctl-advisor-rollback"), "{timers}");
    std::thread::sleep(std::time::Duration::from_millis(20_500));
    assert_eq!(somaxconn(&container), "8192");
    // What is written inside a container is lost with it: the next one boots with the drop-in that this one wrote.
    let drop_in = container.run(&["cat", DROP_IN]);
    drop(container);
    assert_eq!(somaxconn(&Container::boot(&drop_in)), "8192");
    assert_eq!(somaxconn(&Container::boot("")), "4096", "and without it the value is the former one");
}

#[test]
fn a_reboot_undoes_what_was_not_confirmed_and_a_rollback_after_it_what_was() {
    let container = Container::boot("");
    container.write_plan();
    container.run(&["sysctl-advisor", "apply", "/root/plan.json", "--yes"]);
    assert_eq!(somaxconn(&container), "8192");
    let state = container.state();
    drop(container);

    let container = Container::boot("");
    container.put_state(&state);
    assert_eq!(somaxconn(&container), "4096");
    let changes = container.run(&["sysctl-advisor", "changes"]);
    assert!(changes.contains("ended by a reboot"), "{changes}");
    let confirmed = container.attempt(&["sysctl-advisor", "confirm", "1"]);
    assert_eq!(confirmed.status.code(), Some(4));
    assert!(!container.attempt(&["test", "-e", DROP_IN]).status.success());
    container.write_plan();
    container.run(&["sysctl-advisor", "apply", "/root/plan.json", "--yes"]);
    container.run(&["sysctl-advisor", "confirm"]);
    let (drop_in, state) = (container.run(&["cat", DROP_IN]), container.state());
    drop(container);

    let container = Container::boot(&drop_in);
    assert_eq!(somaxconn(&container), "8192", "in force after the boot");
    container.put_state(&state);
    container.write(DROP_IN, &drop_in);
    container.run(&["sysctl-advisor", "rollback", "--last", "--yes"]);
    assert_eq!(somaxconn(&container), "4096");
    assert!(!container.attempt(&["test", "-e", DROP_IN]).status.success(), "as it was before the change");
}
