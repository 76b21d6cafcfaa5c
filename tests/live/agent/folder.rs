//! Root in the folder of the service's user.

use std::fs;
use std::os::unix::fs::{MetadataExt, PermissionsExt, chown, symlink};

use super::scene::Scene;

const SERVICE: u32 = 61_234;

#[test]
fn files_that_root_makes_are_the_folder_owners_and_links_lead_nowhere() {
    let scene = Scene::enter("hold_off = 1");
    let folder = scene.state().join("agent");
    fs::create_dir_all(&folder).unwrap();
    for folder in [scene.path(""), scene.state()] {
        fs::set_permissions(folder, fs::Permissions::from_mode(0o755)).unwrap();
    }
    chown(&folder, Some(SERVICE), Some(SERVICE)).unwrap();
    // What that user may plant: links to what only root may write to, in the place of each file.
    let secret = scene.path("secret");
    fs::create_dir(&secret).unwrap();
    fs::set_permissions(&secret, fs::Permissions::from_mode(0o700)).unwrap();
    for name in ["report.json", "last-snapshot.json", "history.db", "history.db-journal"] {
        fs::write(secret.join(name), "untouched").unwrap();
        symlink(secret.join(name), folder.join(name)).unwrap();
    }
    let said = scene.ok(&[]);
    assert!(said.contains("the previous snapshot is not used"), "{said}");
    for entry in fs::read_dir(&secret).unwrap() {
        assert_eq!(fs::read_to_string(entry.unwrap().path()).unwrap(), "untouched");
    }
    scene.ok(&[]);
    for name in ["report.json", "last-snapshot.json", "history.db", "lock"] {
        let facts = fs::symlink_metadata(folder.join(name)).unwrap();
        assert!(facts.is_file(), "{name}");
        assert_eq!((facts.uid(), facts.gid(), facts.mode() & 0o777), (SERVICE, SERVICE, 0o640), "{name}");
    }
}
