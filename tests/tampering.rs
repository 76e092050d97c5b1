//! Scripts that attack whoever runs them, and neighbors of theirs that do not: `tests/tampering/{refused,allowed}/*.rhai`.
//!
//! Each is run by the real binary, in bounded time and memory, on a store with the cast. What it must come to stands in it:
//!
//! - `Ends in: CODE` for each that is refused. Ctrl-C is pressed where that is `run.interrupted`, once it has said `started`.
//! - `Prints: LINE` and `Says: LINE` for each line of stdout and stderr of one that is allowed, `As: FORMAT` for how.
//! - `Points at: WORD` for an error whose place begins so, `Talks: much` for one that says more than others may,
//!   `Writes: yes` for one that changes rows.
//!
//! `<<HEX>>` stands for bytes, `<<HEX*COUNT>>` for so many times the bytes: no file holds what an editor would not show.

use std::{
    fs,
    io::Read,
    os::unix::process::ExitStatusExt,
    path::{Path, PathBuf},
    process::{Child, ExitStatus, Stdio},
    sync::{
        Arc, Mutex, PoisonError,
        atomic::{AtomicUsize, Ordering},
    },
    thread,
    time::{Duration, Instant},
};

use nix::{
    sys::{
        signal::{Signal, kill},
        stat::Mode,
    },
    unistd::{Pid, mkfifo},
};
use serde_json::Value;

use crate::support::{
    cast,
    sandbox::Sandbox,
    snapshot::{Difference, Snapshot},
    store::OpenStore,
};

/// What no attack may show: the argument `key` of those that have one.
const SECRET: &str = "hunter2-vuvuzela";

/// How long one may take. A loaded machine takes far longer than others do.
const LONGEST: Duration = Duration::from_mins(2);
/// How much address space one may take, in KiB: what is reserved counts.
const MOST_MEMORY: u32 = 6 << 20;
/// How much one may say, in bytes.
const MOST_SAID: usize = 16 * 1024;
/// How much of what it says is kept.
const MOST_KEPT: usize = 1 << 20;

/// A file of the corpus.
struct Attack {
    name: String,
    text: String,
}

impl Attack {
    /// All in a folder of the corpus.
    fn all(kind: &str) -> Vec<Self> {
        let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/tampering").join(kind);
        let entries = fs::read_dir(&folder).expect("the corpus is there").flatten();
        let mut paths: Vec<PathBuf> = entries.map(|entry| entry.path()).collect();
        paths.sort_unstable();
        let read = |path: PathBuf| Self {
            name: path.file_name().unwrap_or_default().to_string_lossy().into_owned(),
            text: fs::read_to_string(&path).unwrap_or_else(|error| panic!("{}: {error}", path.display())),
        };
        paths.into_iter().map(read).collect()
    }

    /// What stands behind a mark, on each line that has it.
    fn marked(&self, mark: &str) -> Vec<&str> {
        let start = format!("//! {mark}: ");
        self.text.lines().filter_map(|line| line.strip_prefix(&start)).collect()
    }

    fn mark(&self, mark: &str) -> Option<&str> {
        self.marked(mark).first().copied()
    }

    /// The script as it is run.
    fn bytes(&self) -> Vec<u8> {
        let mut bytes = Vec::new();
        let mut parts = self.text.split("<<");
        bytes.extend(parts.next().unwrap_or_default().bytes());
        for part in parts {
            match part
                .split_once(">>")
                .and_then(|(mark, rest)| Some((repeated(mark)?, rest)))
            {
                Some((stands_for, rest)) => {
                    bytes.extend(stands_for);
                    bytes.extend(rest.bytes());
                }
                None => bytes.extend(["<<", part].concat().bytes()),
            }
        }
        bytes
    }
}

/// The bytes that `HEX` or `HEX*COUNT` stands for.
fn repeated(mark: &str) -> Option<Vec<u8>> {
    let (hex, count) = mark.split_once('*').unwrap_or((mark, "1"));
    let digits: Vec<u32> = hex.chars().map(|digit| digit.to_digit(16)).collect::<Option<_>>()?;
    let bytes = digits.chunks_exact(2).map(|pair| u8::try_from(pair[0] * 16 + pair[1]));
    let bytes: Vec<u8> = bytes.collect::<Result<_, _>>().ok()?;
    Some(bytes.repeat(count.parse().ok()?))
}

/// What came of a run.
struct End {
    status: ExitStatus,
    printed: String,
    said: String,
    in_time: bool,
}

/// A store with the cast, which each run gets a copy of.
struct Stage {
    _sandbox: Sandbox,
    store: PathBuf,
}

impl Stage {
    fn new() -> Self {
        let sandbox = Sandbox::new();
        let listed = sandbox.masctl(0).args(["manage", "list-users"]).output();
        assert!(listed.expect("masctl runs").status.success());
        OpenStore::embedded(&sandbox)
            .query(&cast::sql())
            .expect("the cast fits");
        Self {
            store: store_of(&sandbox),
            _sandbox: sandbox,
        }
    }

    /// Runs an attack in a sandbox of its own, and checks what must hold of each.
    fn run(&self, attack: &Attack, options: &[&str]) -> (End, Vec<String>) {
        let sandbox = Sandbox::new();
        let store = OpenStore::embedded(&sandbox);
        let file = store_of(&sandbox);
        fs::create_dir_all(file.parent().expect("it is in a folder")).expect("the sandbox takes folders");
        fs::copy(&self.store, &file).expect("the store is there");
        lay_out(&sandbox, attack);
        let before = Snapshot::take(&store).expect("it can be read");
        let mut command = sandbox.command("sh");
        command
            .args([
                "-c",
                "ulimit -v \"$0\" && ulimit -c 0 && exec \"$@\"",
                &MOST_MEMORY.to_string(),
            ])
            .args([env!("CARGO_BIN_EXE_masctl"), "run"])
            .arg(Path::new("scripts").join(&attack.name))
            .args(options)
            .env("MASCTL_FIXED_WORLD", "1")
            .env("TAMPERING_KEY", SECRET)
            .stdin(Stdio::null())
            .stdout(Stdio::piped())
            .stderr(Stdio::piped());
        let end = end_of(command.spawn().expect("masctl runs"), attack);
        let mut problems = problems_of(attack, &end);
        let after = Snapshot::take(&store).expect("it can be read");
        let differences: Vec<_> = before.differences(&after).iter().map(Difference::lines).collect();
        if differences.is_empty() == attack.mark("Writes").is_some() {
            problems.push(format!("rows that differ: {differences:#?}"));
        }
        (end, problems)
    }
}

fn store_of(sandbox: &Sandbox) -> PathBuf {
    sandbox.data_home().join("masctl/masctl.db")
}

/// Writes the script, and what it may try to import.
fn lay_out(sandbox: &Sandbox, attack: &Attack) {
    let folder = sandbox.path().join("scripts");
    for below in ["below", "folder.rhai", "many", "large"] {
        fs::create_dir_all(folder.join(below)).expect("the sandbox takes folders");
    }
    fs::write(folder.join(&attack.name), attack.bytes()).expect("the sandbox takes files");
    for (name, text) in [
        ("scripts/one.rhai", "fn one() { 1 }"),
        ("scripts/below/two.rhai", "fn two() { \"two\" }"),
        ("scripts/teller.rhai", "fn tell(key) { key }"),
        ("scripts/circle.rhai", "import \"./circle-back\" as back;"),
        ("scripts/circle-back.rhai", "import \"./circle\" as circle;"),
        ("scripts/deed.rhai", "users::get(\"alice\").lock(); fn done() { }"),
        ("scripts/exiting.rhai", "exit(1);"),
        ("outside.rhai", "fn outside() { }"),
    ] {
        sandbox.write(name, text);
    }
    mkfifo(&folder.join("fifo.rhai"), Mode::S_IRWXU).expect("the sandbox takes pipes");
    for (target, link) in [("../outside.rhai", "link.rhai"), ("..", "folder-link")] {
        std::os::unix::fs::symlink(target, folder.join(link)).expect("the sandbox takes links");
    }
    for (part, text) in [
        ("many", "fn f() { 1 }".to_owned()),
        ("large", format!("fn f() {{ \"{}\" }}", "x".repeat(1_000_000))),
    ] {
        let wanted = attack.text.contains(&format!("./{part}/"));
        for number in 0..if wanted { 70 } else { 0 } {
            sandbox.write(&format!("scripts/{part}/m{number}.rhai"), &text);
        }
    }
}

/// Waits for the end, and presses Ctrl-C where that is what it must end in.
fn end_of(mut child: Child, attack: &Attack) -> End {
    let printed = collect(child.stdout.take().expect("it is piped"));
    let said = collect(child.stderr.take().expect("it is piped"));
    let mut waits_for_start = attack.mark("Ends in") == Some("run.interrupted");
    let start = Instant::now();
    let mut in_time = true;
    let status = loop {
        if let Some(status) = child.try_wait().expect("it is our child") {
            break status;
        }
        if waits_for_start && text_of(&said.0).contains("started\n") {
            waits_for_start = false;
            // It is to be in the midst of it.
            thread::sleep(Duration::from_millis(100));
            let pid = Pid::from_raw(child.id().try_into().expect("it is a process"));
            kill(pid, Signal::SIGINT).expect("it is our child");
        }
        if in_time && start.elapsed() > LONGEST {
            in_time = false;
            child.kill().expect("it is our child");
        }
        thread::sleep(Duration::from_millis(10));
    };
    for (_, reading) in [&printed, &said] {
        while !reading.is_finished() {
            thread::sleep(Duration::from_millis(1));
        }
    }
    End {
        status,
        printed: text_of(&printed.0),
        said: text_of(&said.0),
        in_time,
    }
}

type Collected = (Arc<Mutex<Vec<u8>>>, thread::JoinHandle<()>);

/// Reads to the end, and keeps the start of it.
fn collect(mut stream: impl Read + Send + 'static) -> Collected {
    let kept = Arc::new(Mutex::new(Vec::new()));
    let keeping = kept.clone();
    let reading = thread::spawn(move || {
        let mut buffer = [0; 16 * 1024];
        while let Ok(length @ 1..) = stream.read(&mut buffer) {
            let mut kept = keeping.lock().unwrap_or_else(PoisonError::into_inner);
            if kept.len() < MOST_KEPT {
                kept.extend(&buffer[..length]);
            }
        }
    });
    (kept, reading)
}

fn text_of(kept: &Mutex<Vec<u8>>) -> String {
    String::from_utf8_lossy(&kept.lock().unwrap_or_else(PoisonError::into_inner)).into_owned()
}

/// What must hold however it ends.
fn problems_of(attack: &Attack, end: &End) -> Vec<String> {
    let shown = [&*end.printed, &*end.said].concat();
    let steers = |char: char| {
        (char.is_control() && !"\n\t".contains(char))
            || matches!(char, '\u{202a}'..='\u{202e}' | '\u{2066}'..='\u{2069}')
    };
    let rules = [
        (!end.in_time, "it takes too long"),
        (end.status.signal().is_some(), "a signal ends it"),
        (shown.contains(SECRET), "it shows the secret"),
        (shown.contains(steers), "it steers the terminal"),
        (shown.contains("panicked") || shown.contains("overflowed"), "it panics"),
        (
            end.said.len() > MOST_SAID && attack.mark("Talks").is_none(),
            "it says too much",
        ),
    ];
    let broken = rules.iter().filter(|(is_broken, _)| *is_broken);
    broken.map(|(_, rule)| (*rule).to_owned()).collect()
}

/// Runs all of a folder, two at once, and tells what is wrong with which.
fn all(kind: &str, check: impl Fn(&Stage, &Attack) -> Vec<String> + Sync) {
    let attacks = Attack::all(kind);
    assert!(attacks.len() > 30, "the corpus is gone");
    let stage = Stage::new();
    let next = AtomicUsize::new(0);
    let problems = Mutex::new(Vec::new());
    thread::scope(|scope| {
        for _ in 0..2 {
            scope.spawn(|| {
                while let Some(attack) = attacks.get(next.fetch_add(1, Ordering::Relaxed)) {
                    let found = check(&stage, attack).into_iter();
                    let found = found.map(|problem| format!("{kind}/{}: {problem}", attack.name));
                    problems.lock().unwrap_or_else(PoisonError::into_inner).extend(found);
                }
            });
        }
    });
    let problems = problems.into_inner().unwrap_or_else(PoisonError::into_inner);
    assert!(problems.is_empty(), "{}", problems.join("\n"));
}

#[test]
fn refused() {
    all("refused", |stage, attack| {
        let Some(code) = attack.mark("Ends in") else {
            return vec!["it does not say what it ends in".to_owned()];
        };
        if code == "run.interrupted" {
            let (end, mut problems) = stage.run(attack, &[]);
            let told = end.said.ends_with("Error: Interrupted: nothing was changed\n");
            if !told || end.status.code() != Some(130) {
                problems.push(format!("{}: {:.500}", end.status, end.said));
            }
            return problems;
        }
        let (end, mut problems) = stage.run(attack, &["--format", "json"]);
        let error: Value = serde_json::from_str(end.said.trim()).unwrap_or_default();
        let error = &error["error"];
        if error["code"] != code || end.status.code() == Some(0) {
            problems.push(format!("not {code}: {}: {:.500}", end.status, end.said));
        }
        if let Some(word) = attack.mark("Points at") {
            let at = |key: &str| usize::try_from(error["at"][key].as_u64().unwrap_or(0)).unwrap_or(0);
            let text = String::from_utf8_lossy(&attack.bytes()).into_owned();
            let line = text.split('\n').nth(at("line").wrapping_sub(1)).unwrap_or_default();
            let meant: String = line.chars().skip(at("column").wrapping_sub(1)).collect();
            if !meant.starts_with(word) {
                problems.push(format!("it points at {meant:.80}"));
            }
        }
        if attack.mark("Only as").is_none() {
            let (end, more) = stage.run(attack, &[]);
            problems.extend(more);
            if !end.said.lines().any(|line| line.starts_with("Error: ")) {
                problems.push(format!("no error: {:.500}", end.said));
            }
        }
        problems
    });
}

#[test]
fn allowed() {
    all("allowed", |stage, attack| {
        let format = attack.mark("As").unwrap_or("table");
        let (end, mut problems) = stage.run(attack, &["--format", format]);
        let (printed, said) = (attack.marked("Prints"), attack.marked("Says"));
        if printed.is_empty() && said.is_empty() {
            problems.push("it does not say what it prints".to_owned());
        }
        let told = end.said.lines().filter(|line| !line.starts_with("Embedded store: "));
        let told: Vec<&str> = told.collect();
        if end.status.code() != Some(0)
            || end.printed.lines().ne(printed)
            || (told != said && attack.mark("Talks").is_none())
        {
            problems.push(format!("{}: {:.500}{:.500}", end.status, end.printed, end.said));
        }
        problems
    });
}

#[test]
fn marks_stand_for_bytes() {
    let bytes = |text: &str| {
        let text = text.to_owned();
        let name = String::new();
        Attack { name, text }.bytes()
    };
    assert_eq!(bytes("a<<00FF>>b<<61*3>>"), b"a\0\xffbaaa");
    assert_eq!(bytes("1 << 2 >> 3 <<zz>>"), b"1 << 2 >> 3 <<zz>>");
}
