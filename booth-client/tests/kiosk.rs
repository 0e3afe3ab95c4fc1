//! The kiosk window's life with a stand-in for the browser: a fresh profile each time, and none that outlives its window.
#![allow(clippy::unwrap_used)]

use booth_client::{
    host::Host,
    key,
    kiosk::{self, KioskArgs},
    people,
};
use std::{
    fs,
    os::unix::fs::PermissionsExt as _,
    path::{Path, PathBuf},
    sync::Arc,
    time::Duration,
};

/// Writes its profile's path into `started`, leaves a trace in the profile, then waits; or ends at once where `crash` exists.
const STAND_IN: &str = r#"#!/bin/sh
here=$(dirname "$0")
for a in "$@"; do case "$a" in --user-data-dir=*) profile=${a#--user-data-dir=};; esac; done
echo personal > "$profile/trace"
echo "$profile" >> "$here/started"
[ -e "$here/crash" ] && { rm "$here/crash"; exit 3; }
exec sleep 600
"#;

struct Stand {
    dir: tempfile::TempDir,
    host: Arc<Host>,
    run: tokio::task::JoinHandle<anyhow::Result<()>>,
}

fn start(crash: bool) -> Stand {
    let dir = tempfile::tempdir().unwrap();
    let program = dir.path().join("browser");
    fs::write(&program, STAND_IN).unwrap();
    fs::set_permissions(&program, fs::Permissions::from_mode(0o755)).unwrap();
    if crash {
        fs::write(dir.path().join("crash"), "").unwrap();
    }
    let profiles = dir.path().join("profiles");
    fs::create_dir(&profiles).unwrap();
    // What a host that no longer runs left behind (no process has this number).
    fs::create_dir(profiles.join("cloud-booth-kiosk-4194999-old")).unwrap();
    let host = Host::simulated(
        "booth-1".into(),
        key::generate(&dir.path().join("key")).unwrap(),
        people::load(None).unwrap(),
    );
    let args = KioskArgs {
        url: None,
        chromium: program,
        chromium_args: Vec::new(),
    };
    let run = tokio::spawn(kiosk::run(
        host.clone(),
        args,
        "http://127.0.0.1:8080/booth/".into(),
        profiles,
    ));
    Stand { dir, host, run }
}

impl Stand {
    /// Profiles of the windows so far, once there are `n`.
    async fn started(&self, n: usize) -> Vec<PathBuf> {
        let file = self.dir.path().join("started");
        let wait = async {
            loop {
                let all: Vec<PathBuf> = fs::read_to_string(&file)
                    .unwrap_or_default()
                    .lines()
                    .map(PathBuf::from)
                    .collect();
                if all.len() >= n {
                    return all;
                }
                tokio::time::sleep(Duration::from_millis(20)).await;
            }
        };
        tokio::time::timeout(Duration::from_secs(15), wait)
            .await
            .unwrap()
    }
    async fn stop(self) -> usize {
        self.host.stop.cancel();
        self.run.await.unwrap().unwrap();
        count(&self.dir.path().join("profiles"))
    }
}
fn count(dir: &Path) -> usize {
    fs::read_dir(dir).unwrap().count()
}

#[tokio::test]
async fn a_wipe_gives_a_fresh_profile_and_removes_the_old_one() {
    let stand = start(false);
    let first = stand.started(1).await;
    assert_eq!(
        count(&stand.dir.path().join("profiles")),
        1,
        "what another host left behind is removed"
    );
    stand.host.wipe();
    let both = stand.started(2).await;
    assert_ne!(first[0], both[1]);
    assert!(
        !first[0].exists(),
        "the old profile is gone before the new window opens"
    );
    assert_eq!(
        stand.stop().await,
        0,
        "nothing stays after the host stopped"
    );
}

#[tokio::test]
async fn a_crash_opens_the_window_again() {
    let stand = start(true);
    let both = stand.started(2).await;
    assert_ne!(both[0], both[1]);
    assert!(!both[0].exists());
    assert_eq!(stand.stop().await, 0);
}
