//! Sessions that nobody types at a prompt, and sandboxes, of which nothing stays.

use std::{
    fs,
    io::{BufRead, BufReader, Read, Write},
    os::unix::fs::PermissionsExt,
    path::Path,
    process::{Child, Command, Output, Stdio},
    time::{Duration, Instant},
};

use nix::{
    sys::signal::{Signal, kill},
    unistd::Pid,
};
use rstest::rstest;

use crate::support::{person::watched, sandbox::Sandbox, terminal::Terminal, wait_until};

fn repl(sandbox: &Sandbox, arguments: &[&str]) -> Command {
    let mut command = sandbox.masctl(1);
    command
        .arg("repl")
        .args(arguments)
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .stderr(Stdio::piped());
    command
}

fn session(mut command: Command, inputs: &str) -> Output {
    let mut child = command.spawn().expect("masctl runs");
    // It may end before it has read all of them.
    let _ = child.stdin.take().expect("it is piped").write_all(inputs.as_bytes());
    child.wait_with_output().expect("masctl ends")
}

fn text(bytes: &[u8]) -> String {
    String::from_utf8_lossy(bytes).into_owned()
}

fn signal(child: &Child, signal: Signal) {
    let process = i32::try_from(child.id()).expect("a process id");
    kill(Pid::from_raw(process), signal).expect("it is there");
}

/// A producer that waits for each answer gets it.
#[test]
fn inputs_are_answered_as_they_come() {
    let sandbox = Sandbox::new();
    let mut child = repl(&sandbox, &[]).spawn().expect("masctl runs");
    let mut inputs = child.stdin.take().expect("it is piped");
    let mut answers = BufReader::new(child.stdout.take().expect("it is piped")).lines();
    for (input, answer) in [
        ("1 + 1\n", "2"),
        ("let a = [\n1,\n", ""),
        ("2]; a.len()\n", "2"),
        ("a\n.len() + 5\n", "7"),
    ] {
        inputs.write_all(input.as_bytes()).expect("it is read");
        if !answer.is_empty() {
            let shown = answers.next().expect("an answer").expect("it is text");
            assert_eq!(shown, answer, "{input}");
        }
    }
    drop(inputs);
    assert_eq!(child.wait().expect("masctl ends").code(), Some(0));
}

#[test]
fn a_reader_that_goes_away_ends_the_session_quietly() {
    let sandbox = Sandbox::new();
    let mut child = repl(&sandbox, &[]).spawn().expect("masctl runs");
    let mut inputs = child.stdin.take().expect("it is piped");
    let mut answers = BufReader::new(child.stdout.take().expect("it is piped"));
    inputs.write_all(b"1;\n").expect("it is read");
    answers.read_line(&mut String::new()).expect("an answer");
    drop(answers);
    let mut errors = String::new();
    for _ in 0..3 {
        let _ = inputs.write_all(b"\"never read\";\n");
    }
    child
        .stderr
        .take()
        .expect("it is piped")
        .read_to_string(&mut errors)
        .expect("it is text");
    assert_eq!((child.wait().expect("it ends").code(), errors.as_str()), (Some(0), ""));
}

#[rstest]
#[case("loop { }\n", "Error: Interrupted: nothing was changed\n")]
#[case("", "Error: Interrupted between two inputs: what those before it have done stays\n")]
fn ctrl_c_ends_the_session(#[case] input: &str, #[case] words: &str) {
    let sandbox = Sandbox::new();
    let mut child = repl(&sandbox, &[]).spawn().expect("masctl runs");
    let mut inputs = child.stdin.take().expect("it is piped");
    inputs.write_all(format!("1;\n{input}").as_bytes()).expect("it is read");
    let mut answers = BufReader::new(child.stdout.take().expect("it is piped"));
    answers.read_line(&mut String::new()).expect("an answer");
    std::thread::sleep(Duration::from_millis(400));
    signal(&child, Signal::SIGINT);
    let output = child.wait_with_output().expect("masctl ends");
    assert_eq!(output.status.code(), Some(130));
    let errors = text(&output.stderr);
    assert!(errors.starts_with(words), "{errors}");
    drop(inputs);
}

/// As psql does it: a prompt that nobody sees what comes of is none.
#[test]
fn without_a_terminal_to_show_results_on_there_is_no_prompt() {
    let sandbox = Sandbox::new();
    let mut command = sandbox.command("/bin/sh");
    let line = format!("{} repl > answers; echo exit $?", env!("CARGO_BIN_EXE_masctl"));
    command.args(["-c", &line]);
    let mut terminal = Terminal::start(&command);
    terminal.see("Reading inputs; Ctrl-D ends them:");
    terminal.enter("1 + 1");
    wait_until("the answer is written", || {
        fs::read_to_string(sandbox.path().join("answers")).is_ok_and(|text| text == "2\n")
    });
    terminal.press("\x04");
    let (seen, _) = terminal.end();
    assert!(seen.contains("exit 0") && !seen.contains("> "), "{seen}");
}

fn load_first(sandbox: &Sandbox, text: &str) {
    sandbox.write(".config/masctl/replrc.rhai", text);
}

#[test]
fn a_startup_file_of_others_is_not_loaded() {
    let sandbox = Sandbox::new();
    load_first(&sandbox, "fn greet() { \"hello\" }");
    let file = sandbox.path().join(".config/masctl/replrc.rhai");
    let run = |arguments: &[&str]| session(repl(&sandbox, arguments), "greet()");
    assert_eq!(text(&run(&[]).stdout), "hello\n");
    for (path, mode) in [(file.as_path(), 0o646), (file.parent().expect("a folder"), 0o757)] {
        let before = path.metadata().expect("it is there").permissions();
        fs::set_permissions(path, fs::Permissions::from_mode(mode)).expect("it is ours");
        let output = run(&[]);
        let errors = text(&output.stderr);
        assert_eq!(output.status.code(), Some(1));
        assert!(errors.contains("is not trusted: everybody can write to it"), "{errors}");
        assert!(run(&["--no-rc"]).stdout.is_empty());
        fs::set_permissions(path, before).expect("it is ours");
    }
    assert_eq!(text(&run(&[]).stdout), "hello\n");
}

#[test]
fn a_mistake_in_the_startup_file_leaves_the_prompt() {
    let sandbox = Sandbox::new();
    load_first(&sandbox, "fn greet() { \"hello\" }\nlet x = ;\n");
    let mut terminal = Terminal::start(&watched(&sandbox, &["repl"]));
    let seen = terminal.see("> ");
    assert!(seen.contains("replrc.rhai:2:9"), "{seen}");
    terminal.press("40 + 2\r");
    terminal.see("42");
    terminal.press("\x04");
    terminal.end();
}

/// What is in the folder for temporary files.
fn left(folder: &Path) -> Vec<String> {
    let entries = fs::read_dir(folder).expect("it is there").flatten();
    entries
        .map(|entry| entry.file_name().to_string_lossy().into_owned())
        .collect()
}

/// A command whose temporary files are in a folder of their own.
fn in_sandbox(sandbox: &Sandbox, arguments: &[&str]) -> Command {
    fs::create_dir_all(sandbox.path().join("tmp")).expect("there is room");
    let mut command = repl(sandbox, &[&["--sandbox"], arguments].concat());
    command.env("TMPDIR", sandbox.path().join("tmp"));
    command
}

#[test]
fn a_sandbox_leaves_nothing_behind() {
    let sandbox = Sandbox::new();
    let folder = sandbox.path().join("tmp");
    for (input, code) in [
        ("users::get(\"alice\").lock().username", 0),
        ("users::get(\"nobody\")", 1),
        ("\\q\n", 0),
        ("throw 1", 1),
    ] {
        let output = session(in_sandbox(&sandbox, &["-q"]), input);
        assert_eq!(output.status.code(), Some(code), "{input}: {}", text(&output.stderr));
        assert_eq!(left(&folder), [""; 0], "{input}");
    }
    for kind in [Signal::SIGTERM, Signal::SIGINT] {
        let mut child = in_sandbox(&sandbox, &[]).spawn().expect("masctl runs");
        let mut inputs = child.stdin.take().expect("it is piped");
        inputs.write_all(b"users::count(#{});\n").expect("it is read");
        let mut answers = BufReader::new(child.stdout.take().expect("it is piped"));
        answers.read_line(&mut String::new()).expect("an answer");
        let [only] = &left(&folder)[..] else {
            panic!("one folder")
        };
        let mode = folder.join(only).metadata().expect("it is there").permissions().mode();
        assert_eq!(mode & 0o777, 0o700);
        signal(&child, kind);
        assert_eq!(child.wait().expect("it ends").code(), Some(130), "{kind}");
        assert_eq!(left(&folder), [""; 0], "{kind}");
        drop(inputs);
    }
}

/// Nothing of the operator's has a say in it: neither a configuration that names a database and a homeserver nor the
/// driver's variables, and no store is made beside it.
#[test]
fn a_sandbox_touches_nothing_else() {
    let sandbox = Sandbox::new();
    let listener = std::net::TcpListener::bind("127.0.0.1:0").expect("a port");
    listener.set_nonblocking(true).expect("it can be asked");
    let address = listener.local_addr().expect("it has one");
    sandbox.write(
        "config.yaml",
        &format!(
            "database: {{ uri: 'postgresql://{address}/mas' }}\n\
             matrix: {{ homeserver: example.org, endpoint: 'http://{address}/', secret: x }}\n\
             masctl: {{ deny: [users] }}\n"
        ),
    );
    let mut command = in_sandbox(&sandbox, &[]);
    command
        .env("DATABASE_URL", format!("postgresql://{address}/mas"))
        .env("PGHOST", "127.0.0.1")
        .env("PGPORT", address.port().to_string());
    let inputs = "users::get(\"bob\").deactivate().username\nhomeserver::get(\"alice\").display_name";
    let output = session(command, inputs);
    assert_eq!(text(&output.stdout), "bob\nAlice\n", "{}", text(&output.stderr));
    assert!(listener.accept().is_err(), "it was connected to");
    let mut made = left(sandbox.path());
    made.sort();
    assert_eq!(made, ["config.yaml", "tmp"]);
}

#[test]
fn a_sandbox_is_there_soon() {
    let sandbox = Sandbox::new();
    let started = Instant::now();
    assert_eq!(text(&session(in_sandbox(&sandbox, &[]), "1").stdout), "1\n");
    // The benchmark has the figure of a release build.
    assert!(started.elapsed() < Duration::from_secs(5));
}
