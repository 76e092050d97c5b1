//! Scripts of an operator: as programs, by prompts, and where there is no plain file.

use std::{
    ffi::OsStr,
    fs::{self, Permissions},
    os::unix::{ffi::OsStrExt, fs::PermissionsExt},
    path::Path,
    process::{Command, Output},
    thread,
};

use nix::{sys::stat::Mode, unistd::mkfifo};

use crate::support::{
    person::{CTRL_C, watched},
    sandbox::Sandbox,
    terminal::Terminal,
};

const ECHO: &str = "#!/usr/bin/env -S masctl run
//! Show what was given
//! ---
//! params:
//!   name: { type: string, positional: true, required: true, help: Name of it }
//!   days: { type: int, default: 90, min: 1, help: Idle days }
//!   color: { type: enum, values: [red, green], help: Color of it }
//!   word: { type: string, repeated: true, help: Words }
//!   deep: { type: bool, help: Look below it too }
//!   all: { type: bool, conflicts: [deep], help: Look everywhere }
//!   key: { type: secret, help: Key }
//!   other: { type: string, hidden: true }
fn main(args) {
    args.key = if args.key == () { \"no key\" } else { \"a key\" };
    args
}
";

fn text(bytes: &[u8]) -> String {
    String::from_utf8_lossy(bytes).into_owned()
}

fn run(command: &mut Command) -> Output {
    command.output().expect("it starts")
}

#[test]
fn a_script_that_may_be_executed_is_a_program() {
    let sandbox = Sandbox::new();
    sandbox.write("echo.rhai", ECHO);
    let path = sandbox.path().join("echo.rhai");
    fs::set_permissions(&path, Permissions::from_mode(0o755)).expect("it is there");
    let binary = Path::new(env!("CARGO_BIN_EXE_masctl"));
    let folder = binary.parent().expect("it is in a folder").display().to_string();
    let program = |arguments: &[&str]| {
        let mut command = sandbox.command(&path);
        command.env("PATH", format!("{folder}:/usr/bin:/bin"));
        run(command.args(arguments))
    };
    let done = program(&["x y", "--days", "3", "-q", "--format", "json", "--fields", "name,days"]);
    assert_eq!(text(&done.stderr), "");
    assert_eq!(text(&done.stdout), "{\"name\":\"x y\",\"days\":3}\n");
    let refused = program(&["--days", "3"]);
    assert_eq!(refused.status.code(), Some(2));
    let expected = format!("\n\nUsage: masctl run {} --days <NUMBER> <NAME>\n", path.display());
    assert!(text(&refused.stderr).contains(&expected), "{}", text(&refused.stderr));
    assert!(text(&program(&["--help"]).stdout).starts_with("Show what was given\n"));
}

#[test]
fn a_pipe_is_read_to_its_end_and_what_is_no_text_is_refused() {
    let sandbox = Sandbox::new();
    let at = |name: &str| sandbox.path().join(name);
    mkfifo(&at("pipe"), Mode::S_IRUSR | Mode::S_IWUSR).expect("a pipe can be made");
    let writer = thread::spawn({
        let pipe = at("pipe");
        move || fs::write(pipe, "fn main(args) { 7 }")
    });
    let done = run(sandbox.masctl(1).args(["run", "pipe"]));
    assert_eq!(text(&done.stdout), "7\n", "{}", text(&done.stderr));
    writer.join().expect("it ends").expect("it is written");

    fs::write(at("huge"), vec![b' '; (1 << 20) + 1]).expect("it is written");
    fs::write(at("binary"), b"\x7fELF\x02\xff").expect("it is written");
    fs::write(at("nul"), b"fn main(args) {}\0").expect("it is written");
    for (file, message) in [
        ("huge", "Error: The script `huge` is larger than 1 MiB\n"),
        ("/dev/zero", "Error: The script `/dev/zero` is larger than 1 MiB\n"),
        ("binary", "Error: The script `binary` is not UTF-8 in line 1\n"),
        ("nul", "Error: The script `nul` has a NUL character\n"),
    ] {
        let refused = run(sandbox.masctl(1).args(["run", file]));
        assert_eq!(refused.status.code(), Some(1));
        assert!(text(&refused.stderr).starts_with(message), "{}", text(&refused.stderr));
    }
    let name = OsStr::from_bytes(b"\xff.rhai");
    let refused = run(sandbox.masctl(1).arg("run").arg(name));
    assert_eq!(refused.status.code(), Some(2));
    assert!(text(&refused.stderr).starts_with("Error: invalid UTF-8 was detected"));
}

#[test]
fn a_shipped_command_runs_though_nothing_of_the_folders_can_be_read() {
    let sandbox = Sandbox::new();
    let folder = sandbox.path().join(".config/masctl/scripts");
    fs::create_dir_all(&folder).expect("it can be made");
    // Reading it would wait for a writer.
    mkfifo(&folder.join("greet-user.rhai"), Mode::S_IRUSR).expect("a pipe can be made");
    fs::write(folder.join("lock-user.rhai"), "\0").expect("it is written");
    let shown = run(sandbox.masctl(1).args(["manage", "lock-user", "--help"]));
    assert!(shown.status.success());
    let shown = run(sandbox.masctl(1).args(["manage", "--help"]));
    let help = text(&shown.stdout);
    assert!(
        help.contains("Your scripts:") && help.contains("it cannot be read: it is no"),
        "{help}"
    );
    let refused = run(sandbox.masctl(1).args(["manage", "greet-user"]));
    assert!(text(&refused.stderr).contains("it is no plain file"));
}

#[test]
fn whoever_wants_it_is_asked_for_all_that_is_missing() {
    let sandbox = Sandbox::new();
    sandbox.write("echo.rhai", ECHO);
    let arguments = ["-q", "run", "echo.rhai", "--prompt", "--format", "json"];
    let mut terminal = Terminal::start(&watched(&sandbox, &arguments));
    terminal.see("Name of it:");
    terminal.answer("");
    terminal.see("must not be empty");
    terminal.see("Name of it:");
    terminal.answer("x");
    terminal.see("Idle days [90]:");
    terminal.answer("0");
    terminal.see("must be at least 1");
    terminal.see("Idle days [90]:");
    terminal.answer("");
    terminal.see("Color of it (optional)");
    terminal.see("green");
    terminal.press("\x1b[B\x1b[B\r");
    for word in ["a", "b", ""] {
        terminal.see("Words (empty ends):");
        terminal.answer(word);
    }
    terminal.see("Look below it too?");
    terminal.answer("y");
    terminal.see("Key (optional):");
    terminal.answer("hunter2");
    terminal.see("Key (optional) (again):");
    terminal.answer("hunter2");
    let (rest, _) = terminal.end();
    let expected = r#""color":"green""#;
    assert!(rest.contains(expected), "{rest}");
    for expected in [
        r#""name":"x""#,
        r#""days":90"#,
        r#""word":["a","b"]"#,
        r#""deep":true"#,
        r#""all":false"#,
        r#""key":"a key""#,
        r#""other":null"#,
        "exit 0\r\nterminal as before",
    ] {
        assert!(rest.contains(expected), "{expected} in {rest}");
    }
    assert!(!rest.contains("hunter2") && !rest.contains("Look everywhere"), "{rest}");
}

#[test]
fn what_is_given_is_not_asked_for_and_who_leaves_has_changed_nothing() {
    let sandbox = Sandbox::new();
    let registered = run(sandbox.masctl(1).args(["manage", "register-user", "alice", "--yes"]));
    assert!(registered.status.success());
    let mut terminal = Terminal::start(&watched(&sandbox, &["manage", "lock-user", "--prompt", "--deactivate"]));
    terminal.see("Account to lock:");
    terminal.press(CTRL_C);
    terminal.see("Error: Interrupted: nothing was changed");
    let (rest, _) = terminal.end();
    assert!(rest.contains("exit 130\r\nterminal as before"), "{rest}");
    let mut terminal = Terminal::start(&watched(&sandbox, &["--prompt", "manage", "lock-user", "alice"]));
    terminal.see("Also deactivate it on the homeserver?");
    terminal.answer("n");
    terminal.see("Locked alice");
    assert!(terminal.end().0.contains("exit 0"));
}
