//! A container whose `/proc/sys` is read-only: no boot sets its values, and no file of it does.

use std::process::Command;

use crate::support::lab::run;

/// What `audit`, its screen and `drift` print in a namespace of process 1 in which two values were set; then `prepare` was run.
fn reports(prepare: &str) -> (String, String, String) {
    let program = env!("CARGO_BIN_EXE_sysctl-advisor");
    // The shell is process 1 of the scene; what it mounts goes with it.
    let shown = |command: &str| {
        let script = format!(
            "echo 30 > /proc/sys/net/ipv4/tcp_fin_timeout\necho 0 > /proc/sys/net/ipv4/tcp_timestamps\n{prepare}\n{program} {command}\n:"
        );
        let arguments = ["--net", "--mount", "--pid", "--fork", "--mount-proc", "sh", "-ec", &script];
        run(Command::new("unshare").args(arguments))
    };
    (shown("audit --full --window 0"), shown("audit --window 0"), shown("drift"))
}

#[test]
fn where_sysctls_are_read_only_nothing_is_said_of_a_boot_or_of_files() {
    let (audit, screen, drift) = reports("mount --bind /proc/sys /proc/sys; mount -o remount,ro,bind /proc/sys");
    assert!(audit.contains("tcp_timestamps"), "the finding about the value is there: {audit}");
    ["boot", "/etc/sysctl.d"].iter().for_each(|words| assert!(!audit.contains(words), "{words}: {audit}"));
    assert!(!drift.contains("RUNTIME ONLY"), "{drift}");
    assert!(screen.contains("sysctl-advisor export docker") && !screen.contains("remediate"), "{screen}");

    // The same where they can be written, as in a container that boots.
    let (audit, screen_there, drift) = reports("");
    assert!(audit.contains("lost at the next boot") && audit.contains("/etc/sysctl.d"), "{audit}");
    assert!(drift.contains("RUNTIME ONLY"), "{drift}");
    assert!(screen_there.contains("sysctl-advisor remediate") && !screen_there.contains("export"), "{screen_there}");
}
