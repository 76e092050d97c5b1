//! What bash, zsh and fish are offered, how long they wait for it, and that nothing else gets into their prompts.

use std::{
    collections::BTreeMap,
    env, fs,
    net::TcpListener,
    path::Path,
    process::{Command, Stdio},
    thread,
    time::{Duration, Instant},
};

use masctl::storage::users::user_add;
use nix::{sys::stat::Mode, unistd::mkfifo};
use rstest::rstest;

use crate::support::{
    cast,
    sandbox::Sandbox,
    specimen::Specimen,
    store::{OpenStore, Store},
    terminal::Terminal,
};

const BINARY: &str = env!("CARGO_BIN_EXE_masctl");

const SHELLS: [&str; 3] = ["bash", "zsh", "fish"];

/// The request of a shell.
fn request(sandbox: &Sandbox, shell: &str, words: &[&str]) -> Command {
    let mut command = sandbox.command(BINARY);
    command
        .env("COMPLETE", shell)
        .arg("--")
        .args(words)
        .stdin(Stdio::null());
    command
}

/// What the shell is answered. Whatever happens, nothing is said beside it.
fn answer(sandbox: &Sandbox, shell: &str, words: &[&str]) -> String {
    let output = request(sandbox, shell, words).output().expect("masctl runs");
    assert_eq!(String::from_utf8_lossy(&output.stderr), "", "{words:?}");
    assert!(output.status.success(), "{words:?}");
    String::from_utf8(output.stdout).expect("it is text")
}

const LOCK: [&str; 4] = ["masctl", "manage", "lock-user", "al"];

/// A store with the cast in it, which the sandbox's `config.yaml` names.
fn scene(kind: Store, name: &str) -> (Sandbox, OpenStore) {
    let sandbox = Sandbox::new();
    let store = OpenStore::configured(kind, name, &sandbox);
    let migrated = sandbox.masctl(0).args(["database", "migrate"]).output();
    assert!(migrated.is_ok_and(|it| it.status.success()) || kind == Store::Postgres);
    store.query(&cast::sql()).expect("the cast fits");
    (sandbox, store)
}

/// The files below a folder, and what they hold.
fn files(folder: &Path) -> BTreeMap<String, Vec<u8>> {
    let mut files = BTreeMap::new();
    for entry in fs::read_dir(folder).expect("a folder can be read").flatten() {
        let path = entry.path();
        if path.is_dir() {
            files.extend(self::files(&path));
        } else {
            files.insert(path.display().to_string(), fs::read(&path).expect("a file can be read"));
        }
    }
    files
}

#[test]
fn what_is_wrong_is_not_said() {
    let broken = [
        ("config.yaml", "database: [\n"),
        ("config.yaml", "database: 5\n"),
        ("config.yaml", "database:\n  uri: nonsense\n"),
        ("config.yaml", "database: { host: 127.0.0.1, port: 1 }\n"),
        (
            "config.yaml",
            "masctl: { nonsense: 1 }\ndatabase: { uri: 'postgresql://127.0.0.1:1/x' }\n",
        ),
        ("config.yaml", "database: { uri: 'sqlite:///nowhere/x.db' }\n"),
        ("config.yaml", "database: { uri: 'sqlite:./.env' }\n"),
        (".env", "A B C = 'x\n"),
        (".env", "MAS_CONFIG=nowhere.yaml\n"),
    ];
    for shell in SHELLS {
        for (name, text) in broken {
            let sandbox = Sandbox::new();
            sandbox.write(name, text);
            assert_eq!(answer(&sandbox, shell, &LOCK), "", "{text}");
        }
        let sandbox = Sandbox::new();
        let missing = ["masctl", "-c", "nowhere.yaml", "manage", "lock-user", "al"];
        assert_eq!(answer(&sandbox, shell, &missing), "");
        let open = ["masctl", "manage", "lock-user", "'a$(\"\\"];
        assert_eq!(answer(&sandbox, shell, &open), "");
        for nonsense in [
            &[""][..],
            &["masctl"],
            &["masctl", "--", "x", "\u{1b}[2J"],
            &["masctl", "nothing", "x"],
        ] {
            answer(&sandbox, shell, nonsense);
        }
    }
}

#[test]
fn the_embedded_store_is_not_made() {
    let sandbox = Sandbox::new();
    assert_eq!(answer(&sandbox, "fish", &LOCK), "");
    assert_eq!(files(sandbox.path()), BTreeMap::new());
}

#[test]
fn a_store_is_left_as_it_is() {
    let (sandbox, _store) = scene(Store::Sqlite, "completion_left");
    let before = files(sandbox.path());
    assert_eq!(before.keys().count(), 2, "{:?}", before.keys());
    assert_eq!(answer(&sandbox, "fish", &LOCK), "alice\n");
    assert!(files(sandbox.path()) == before, "a file is another");
}

/// What is in the log of a store that another has open counts too.
#[tokio::test]
async fn a_store_is_read_while_another_writes_it() {
    let mut specimen = Specimen::create(Store::Sqlite).await;
    let added = user_add(
        &mut specimen.connection,
        cast::id(cast::CLIENT),
        "albert",
        cast::time(cast::ENDED_AT),
    );
    added.await.expect("the SQL is right");
    let sandbox = Sandbox::new();
    let uri = format!("database: {{ uri: 'sqlite://{}' }}\n", specimen.file().display());
    sandbox.write("config.yaml", &uri);
    assert_eq!(answer(&sandbox, "fish", &LOCK), "albert\nalice\n");
}

/// The time that completing takes at least, of several attempts on a busy machine.
fn fastest(request: impl Fn() -> Command) -> Duration {
    let times = (0..5).map(|_| {
        let start = Instant::now();
        let output = request().output().expect("masctl runs");
        let time = start.elapsed();
        assert!(output.status.success());
        assert_eq!((output.stdout.len(), output.stderr.len()), (0, 0));
        time
    });
    times.min().expect("it was tried")
}

/// Well above what it takes, and far below any time limit of PostgreSQL, SQLite or the network.
const AT_ONCE: Duration = Duration::from_millis(350);

#[test]
fn a_database_that_does_not_answer_is_not_waited_for() {
    let listener = TcpListener::bind(("127.0.0.1", 0)).expect("a free port");
    let port = listener.local_addr().expect("a bound socket has an address").port();
    // It takes every connection, and says nothing.
    thread::spawn(move || listener.incoming().flatten().collect::<Vec<_>>());
    let sandbox = Sandbox::new();
    sandbox.write(
        "config.yaml",
        &format!("database: {{ host: 127.0.0.1, port: {port}, username: x, database: x }}\n"),
    );
    let time = fastest(|| request(&sandbox, "bash", &LOCK));
    assert!(time >= Duration::from_millis(150), "it was not asked: {time:?}");
    assert!(time < AT_ONCE, "{time:?}");
}

#[test]
fn a_configuration_that_is_never_written_is_not_waited_for() {
    let sandbox = Sandbox::new();
    mkfifo(&sandbox.path().join("config.yaml"), Mode::S_IRWXU).expect("a folder of its own");
    assert!(fastest(|| request(&sandbox, "bash", &LOCK)) < AT_ONCE);
}

#[rstest]
fn the_script_is_the_same_by_the_command_and_by_the_variable(#[values("bash", "zsh", "fish")] shell: &str) {
    let sandbox = Sandbox::new();
    let run = |command: &mut Command| {
        let output = command.output().expect("masctl runs");
        assert!(output.status.success() && output.stderr.is_empty());
        String::from_utf8(output.stdout).expect("it is text")
    };
    let by_command = run(sandbox.command(BINARY).args(["completions", shell]));
    // A masctl that is called by its path is found by its path.
    let by_variable = run(sandbox.command(BINARY).env("COMPLETE", shell));
    assert_eq!(by_variable.matches(BINARY).count(), 1, "{by_variable}");
    let call = format!("COMPLETE={shell}{}", if shell == "fish" { " " } else { "" });
    assert!(
        by_command.contains(call.trim_end()) || by_command.contains("COMPLETE=\""),
        "{by_command}"
    );
    assert_eq!(by_variable.replace(BINARY, "masctl"), by_command);
}

/// An interactive shell that completes masctl.
fn shell(sandbox: &Sandbox, shell: &str) -> Terminal {
    let (arguments, setup): (&[&str], _) = match shell {
        "bash" => (&["--norc", "--noprofile"], "source <(masctl completions bash)"),
        "zsh" => (
            &["-f"],
            "autoload -Uz compinit; compinit -uD; source <(masctl completions zsh)",
        ),
        _ => (
            &["--no-config"],
            "function fish_prompt; echo '$ '; end; masctl completions fish | source",
        ),
    };
    let folder = Path::new(BINARY).parent().expect("a file is in a folder").display();
    let path = format!("{folder}:{}", env::var("PATH").unwrap_or_default());
    let mut command = sandbox.command(shell);
    command.args(arguments).env("PATH", path).env("PS1", "$ ");
    let mut terminal = Terminal::start(&command);
    terminal.press(&format!("{setup}; echo rea\"\"dy\r"));
    terminal.see("ready\r\n");
    // What is typed before may be lost.
    terminal.see("$ ");
    terminal
}

/// People complete a whole command with each shell, and run it: what a store holds cannot break out of it.
#[rstest]
fn a_person_completes_and_runs_a_command(#[values("bash", "zsh", "fish")] name: &str) {
    let installed = Command::new(name).arg("--version").output();
    assert!(
        installed.is_ok_and(|it| it.status.success()),
        "the tests need {name}: tests/run installs it"
    );
    let (sandbox, store) = scene(Store::Sqlite, &format!("completion_{name}"));
    let hostile = [
        "evil$(touch pwned);touch pwned",
        "evil\nmasctl manage lock-user carol\n",
        "evil\u{1b}[2J",
        "quotes b'\"\\",
    ];
    for (number, hostile) in hostile.iter().enumerate() {
        let username = hostile.replace('\'', "''");
        let added = store.query(&format!(
            "INSERT INTO users (user_id, username, created_at) \
             VALUES (x'018500000000000000000000000000{number:02x}', '{username}', '2024-05-01T12:00:00.000001+00:00')"
        ));
        added.expect("every text is a username");
    }
    fs::copy(
        sandbox.path().join("config.yaml"),
        sandbox.path().join("my config.yaml"),
    )
    .expect("it was written");
    let mut terminal = shell(&sandbox, name);
    for (typed, seen) in [
        ("masctl man\tlock-u\tali\t\r", "Locked alice"),
        ("masctl -c my\tmanage unlock\t@ali\t\r", "Unlocked alice"),
        ("masctl manage lock-user --form\tya\tcar\t\r", "action: user.lock"),
        (
            "masctl manage lock-user evil\t\r",
            "Locked evil$(touch pwned);touch pwned",
        ),
        ("masctl manage lock-user quo\t\r", "Locked quotes b'\"\\"),
    ] {
        terminal.press(typed);
        terminal.see(seen);
        terminal.see("$ ");
    }
    terminal.press("exit\r");
    terminal.end();
    assert!(!sandbox.path().join("pwned").exists());
}

#[test]
fn bash_keeps_what_it_does_not_replace() {
    let (sandbox, _store) = scene(Store::Sqlite, "completion_words");
    let mut terminal = shell(&sandbox, "bash");
    for (typed, seen) in [
        ("masctl --format=ya\tmanage list-admin-users\r", "username: carol"),
        ("masctl manage show-user '@bo\t\r", cast::BOB),
        ("masctl manage list-tokens --user=@ali\t--format json\r", "[]\r\n"),
        // From the middle of the line, with nothing behind the cursor in the way.
        ("masctl manage show-user ali X\x1b[D\x1b[D\t\x05\x7f\r", cast::ALICE),
    ] {
        terminal.press(typed);
        terminal.see(seen);
        terminal.see("$ ");
    }
    terminal.press("exit\r");
    terminal.end();
}
