//! What is kept of what is entered: in a file for this person alone, and no secret.

use std::{
    fs::{self, Permissions},
    os::unix::fs::PermissionsExt,
    path::{Path, PathBuf},
};

use rstest::rstest;

use super::{CTRL_D, UP, WIDE, window};
use crate::support::{sandbox::Sandbox, window::Window};

/// A session on the embedded store, or in a sandbox of masctl.
fn start(sandbox: &Sandbox, arguments: &[&str]) -> Window {
    let mut window = window(sandbox, arguments, &[], WIDE);
    window.first_prompt();
    window
}

fn leave(mut window: Window) {
    window.press(CTRL_D);
    let (text, code) = window.end();
    assert_eq!(code, 0, "{text}");
}

fn file(sandbox: &Sandbox) -> PathBuf {
    sandbox.path().join(".local/state/masctl/history")
}

fn mode(path: &Path) -> u32 {
    fs::metadata(path).expect("it is there").permissions().mode() & 0o7777
}

#[rstest]
fn it_is_kept_for_this_person_alone(#[values(&[][..], &["--sandbox"])] arguments: &[&str]) {
    let sandbox = Sandbox::new();
    let mut window = start(&sandbox, arguments);
    window.enter("1 + 1");
    leave(window);
    let file = file(&sandbox);
    assert_eq!(fs::read_to_string(&file).expect("it is kept"), "1 + 1\n");
    let folder = file.parent().expect("it is in one");
    assert_eq!((mode(folder), mode(&file)), (0o700, 0o600));

    fs::set_permissions(folder, Permissions::from_mode(0o755)).expect("it is ours");
    fs::set_permissions(&file, Permissions::from_mode(0o644)).expect("it is ours");
    let mut window = start(&sandbox, arguments);
    assert_eq!((mode(folder), mode(&file)), (0o700, 0o600));
    window.press(UP);
    window.until_line("1 + 1");
    let shown = window.press_for_prompt("0\r");
    assert!(shown.ends_with("> 1 + 10\n11\n"), "{shown}");
    leave(window);
    assert_eq!(fs::read_to_string(&file).expect("it is kept"), "1 + 1\n1 + 10\n");
    assert_eq!(mode(&file), 0o600);
}

#[rstest]
fn nothing_twice_and_no_secret(#[values(&[][..], &["--sandbox"])] arguments: &[&str]) {
    let sandbox = Sandbox::new();
    let mut window = start(&sandbox, arguments);
    for input in [
        "40 + 2",
        "let other = 1",
        "40 + 2",
        " 40 + 3",
        r#"let password = "hunter2""#,
        r#"let kept = "mct_0123456789abcdefghijABCDEFGHIJ_jUFkp1""#,
        r#"let kept = "postgresql://mas:hunter2@db.example.org/mas""#,
        r"\run set-password alice hunter2",
        "other",
    ] {
        window.enter(input);
    }
    // Not even within the session.
    for expected in ["other", "40 + 2", "let other = 1", "let other = 1"] {
        window.press(UP);
        window.until_line(expected);
    }
    window.press_for_prompt("\x03");
    leave(window);
    let kept = fs::read_to_string(file(&sandbox)).expect("it is kept");
    assert_eq!(kept, "let other = 1\n40 + 2\nother\n");
}
