//! Plays one command of a transcript after the other, in one sandbox, on one store.

use std::{
    fs,
    io::{Read, Write},
    os::unix::{fs::PermissionsExt, process::ExitStatusExt},
    process::{Child, Command, ExitStatus, Stdio},
    thread,
    time::{Duration, Instant},
};

use super::{
    homeserver::Mood,
    populace,
    sandbox::Sandbox,
    store::{OpenStore, Store},
    watch::Watch,
};

/// How long a command may take: one that waits for a person would wait for ever.
const LIMIT: Duration = Duration::from_mins(1);

/// How the examples are called: they are there once a command names one.
const GALLERY: &str = "scripts/examples/";

/// Which program a transcript calls `masctl`.
#[derive(Clone, Copy)]
pub(crate) enum Program {
    /// The binary of this package.
    Masctl,
    /// The same, on a store with a populace, and with what it changed there; in the fixed world, or in the real one.
    Watched { real: bool },
    /// A shell script that stands in for it in the tests of this runner.
    StandIn(&'static str),
}

/// What a command needs of its surroundings.
pub(crate) struct Session {
    sandbox: Sandbox,
    store: OpenStore,
    program: Program,
    placeholders: Vec<(String, &'static str)>,
    watch: Option<Watch>,
}

/// A command that starts a program, taken apart.
#[derive(Debug, Default, PartialEq, Eq)]
struct Invocation {
    variables: Vec<(String, String)>,
    words: Vec<String>,
    input: Input,
}

#[derive(Debug, Default, PartialEq, Eq)]
enum Input {
    #[default]
    Nothing,
    Text(String),
    File(String),
    /// What another command prints.
    Pipe(Box<Invocation>),
}

impl Session {
    /// A session with the store `kind` for the transcript `name`, or with nothing configured.
    pub(crate) fn open(name: &str, kind: Store, is_embedded: bool, program: Program) -> Self {
        let sandbox = Sandbox::new();
        let store = if is_embedded {
            OpenStore::embedded(&sandbox)
        } else {
            OpenStore::configured(kind, name, &sandbox)
        };
        let mut placeholders = store.placeholders();
        placeholders.push((sandbox.path().display().to_string(), "{cwd}"));
        let session = Self {
            sandbox,
            store,
            program,
            placeholders,
            watch: matches!(program, Program::Watched { .. }).then(Watch::default),
        };
        if kind == Store::Sqlite && !is_embedded {
            session.lay_out();
        }
        if session.watch.is_some() {
            let populated = session.store.query(&populace::sql(kind));
            populated.unwrap_or_else(|error| panic!("the populace: {error}"));
            let homeserver = session.store.homeserver().into_iter();
            homeserver.for_each(|homeserver| homeserver.add_users(populace::USERNAMES));
        }
        session
    }

    /// SQLite's tables are made by masctl, PostgreSQL's came with the database.
    fn lay_out(&self) {
        let mut command = self.masctl(0);
        command.args(["database", "migrate"]);
        let output = output(command, &Input::Nothing).expect("masctl runs");
        assert!(output.status.success(), "masctl database migrate: {}", output.stderr);
    }

    /// Runs the command `text`, the `number`th masctl command of its transcript, and returns the lines that it shows.
    pub(crate) fn play(&self, text: &str, number: usize) -> Result<Vec<String>, String> {
        let text = self.filled_in(text);
        let failed = |error: sqlx::Error| error.to_string();
        let shown = if let Some(sql) = text.strip_prefix("sql ") {
            self.watch.iter().for_each(Watch::forget);
            self.store.query(sql).map_err(failed)?
        } else if let Some(sql) = text.strip_prefix("hold ") {
            self.store.hold(sql).map_err(failed)?
        } else {
            self.call(&Invocation::parse(&text)?, number)?
        };
        Ok(shown.iter().map(|line| self.with_placeholders(line)).collect())
    }

    fn call(&self, invocation: &Invocation, number: usize) -> Result<Vec<String>, String> {
        let words: Vec<&str> = invocation.words.iter().map(String::as_str).collect();
        let failed = |error: std::io::Error| error.to_string();
        match words.as_slice() {
            ["masctl", arguments @ ..] => {
                let run = || self.run(invocation, arguments, number).map(|output| output.lines());
                match &self.watch {
                    Some(watch) => watch.around(&self.store, run),
                    None => run(),
                }
            }
            ["write", name] => match &invocation.input {
                Input::Text(text) => {
                    self.sandbox.write(name, text);
                    Ok(Vec::new())
                }
                _ => Err("write FILE <<< 'text'".to_owned()),
            },
            ["mkdir", name] => fs::create_dir_all(self.sandbox.path().join(name))
                .map(|()| Vec::new())
                .map_err(failed),
            ["chmod", mode, name] => {
                let mode = u32::from_str_radix(mode, 8).map_err(|error| error.to_string())?;
                fs::set_permissions(self.sandbox.path().join(name), fs::Permissions::from_mode(mode))
                    .map(|()| Vec::new())
                    .map_err(failed)
            }
            ["rm", name] => fs::remove_file(self.sandbox.path().join(name))
                .map(|()| Vec::new())
                .map_err(failed),
            ["ls", "-l", names @ ..] => names.iter().map(|name| self.mode(name).map_err(failed)).collect(),
            ["homeserver", words @ ..] => self.homeserver(words),
            ["release"] => self
                .store
                .release()
                .map(|()| Vec::new())
                .map_err(|error| error.to_string()),
            _ => Err(
                "transcripts know masctl, sql, hold SQL, release, write, mkdir, chmod, rm, ls -l FILE… and homeserver"
                    .to_owned(),
            ),
        }
    }

    /// Runs masctl, after the command whose output it reads; what that one says on stderr comes first.
    fn run(&self, invocation: &Invocation, arguments: &[&str], number: usize) -> Result<Output, String> {
        let mut said = String::new();
        let input = match &invocation.input {
            Input::File(name) => {
                let text = fs::read_to_string(self.sandbox.path().join(name));
                Input::Text(text.map_err(|error| error.to_string())?)
            }
            Input::Pipe(first) => {
                let words: Vec<&str> = first.words.iter().map(String::as_str).collect();
                let ["masctl", arguments @ ..] = words.as_slice() else {
                    return Err("only the output of masctl can be piped".to_owned());
                };
                let first = self.run(first, arguments, number)?;
                said = first.stderr;
                Input::Text(first.stdout)
            }
            Input::Text(text) => Input::Text(text.clone()),
            Input::Nothing => Input::Nothing,
        };
        if arguments.iter().any(|argument| argument.starts_with(GALLERY)) {
            self.sandbox.lay_out_gallery();
        }
        let mut command = self.masctl(number);
        command
            .args(arguments)
            .envs(invocation.variables.iter().map(|(name, value)| (name, value)));
        let mut output = output(command, &input)?;
        output.stderr.insert_str(0, &said);
        Ok(output)
    }

    /// What the homeserver was asked or knows, or a change of it; nothing where there is none.
    fn homeserver(&self, words: &[&str]) -> Result<Vec<String>, String> {
        let Some(homeserver) = self.store.homeserver() else {
            return Ok(Vec::new());
        };
        match words {
            ["requests"] => return Ok(homeserver.take_requests()),
            ["users"] => return Ok(homeserver.users()),
            ["add", localparts @ ..] => homeserver.add_users(localparts.iter().copied()),
            ["is", mood] => homeserver.set_mood(Mood::parse(mood).ok_or_else(|| format!("no homeserver is {mood}"))?),
            _ => return Err("homeserver requests, users, add LOCALPART… or is MOOD".to_owned()),
        }
        Ok(Vec::new())
    }

    fn masctl(&self, number: usize) -> Command {
        match self.program {
            Program::Masctl | Program::Watched { real: false } => self.sandbox.masctl(number),
            Program::Watched { real: true } => {
                let mut command = self.sandbox.masctl(number);
                command.env_remove("MASCTL_FIXED_WORLD");
                command
            }
            Program::StandIn(script) => {
                let mut command = self.sandbox.command("/bin/sh");
                command.arg(script).env("MASCTL_FIXED_WORLD", number.to_string());
                command
            }
        }
    }

    fn mode(&self, name: &str) -> std::io::Result<String> {
        let metadata = fs::metadata(self.sandbox.path().join(name))?;
        let kind = if metadata.is_dir() { 'd' } else { '-' };
        let mode = metadata.permissions().mode();
        let bits = "rwxrwxrwx".chars().enumerate();
        let rights: String = bits
            .map(|(bit, right)| if mode & (0o400 >> bit) == 0 { '-' } else { right })
            .collect();
        Ok(format!("{kind}{rights} {name}"))
    }

    fn filled_in(&self, text: &str) -> String {
        self.placeholders
            .iter()
            .filter(|(_, name)| name.contains('{'))
            .fold(text.to_owned(), |text, (real, name)| text.replace(name, real))
    }

    fn with_placeholders(&self, text: &str) -> String {
        self.placeholders
            .iter()
            .fold(text.to_owned(), |text, (real, name)| text.replace(real, name))
    }
}

impl Invocation {
    fn parse(text: &str) -> Result<Self, String> {
        let mut words = shlex::split(text)
            .ok_or("a quote is not closed")?
            .into_iter()
            .peekable();
        let mut invocation = Self::default();
        while let Some((name, value)) = words.peek().and_then(|word| word.split_once('=')) {
            if !name
                .bytes()
                .all(|byte| byte.is_ascii_uppercase() || byte.is_ascii_digit() || byte == b'_')
            {
                break;
            }
            invocation.variables.push((name.to_owned(), value.to_owned()));
            words.next();
        }
        while let Some(word) = words.next() {
            match word.as_str() {
                "<<<" => invocation.input = Input::Text(words.next().ok_or("`<<<` needs a text")? + "\n"),
                "|" => {
                    invocation = Self {
                        input: Input::Pipe(Box::new(invocation)),
                        ..Self::default()
                    }
                }
                "<" => invocation.input = Input::File(words.next().ok_or("`<` needs a file")?),
                _ => invocation.words.push(word),
            }
        }
        Ok(invocation)
    }
}

struct Output {
    stdout: String,
    stderr: String,
    status: ExitStatus,
}

impl Output {
    fn lines(&self) -> Vec<String> {
        let mut shown = lines(&self.stdout);
        shown.extend(
            lines(&self.stderr)
                .iter()
                .map(|line| format!("2> {line}").trim_end().to_owned()),
        );
        match (self.status.code(), self.status.signal()) {
            (Some(0), _) => {}
            (Some(code), _) => shown.push(format!("exit {code}")),
            (None, signal) => shown.push(format!("signal {}", signal.unwrap_or_default())),
        }
        shown
    }
}

fn lines(text: &str) -> Vec<String> {
    let mut lines: Vec<String> = text.split('\n').map(str::to_owned).collect();
    match lines.pop() {
        Some(rest) if !rest.is_empty() => lines.extend([rest, "(no newline)".to_owned()]),
        _ => {}
    }
    lines
}

/// Threads carry the three streams, so that no full pipe blocks the command.
fn output(mut command: Command, input: &Input) -> Result<Output, String> {
    let text = match input {
        Input::Text(text) => Some(text.clone()),
        _ => None,
    };
    let mut child = command
        .stdin(if text.is_some() { Stdio::piped() } else { Stdio::null() })
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .spawn()
        .map_err(|error| format!("{}: {error}", command.get_program().display()))?;
    if let (Some(text), Some(mut stdin)) = (text, child.stdin.take()) {
        // A command that does not read its input is no failure.
        thread::spawn(move || stdin.write_all(text.as_bytes()));
    }
    let stdout = reader(child.stdout.take());
    let stderr = reader(child.stderr.take());
    let status = wait(&mut child)?;
    let text = |reader: thread::JoinHandle<Vec<u8>>| {
        String::from_utf8_lossy(&reader.join().expect("reading does not panic")).into_owned()
    };
    Ok(Output {
        stdout: text(stdout),
        stderr: text(stderr),
        status,
    })
}

fn reader(stream: Option<impl Read + Send + 'static>) -> thread::JoinHandle<Vec<u8>> {
    thread::spawn(move || {
        let mut bytes = Vec::new();
        // What came before a failure is what there is to show.
        let _ = stream.map(|mut stream| stream.read_to_end(&mut bytes));
        bytes
    })
}

fn wait(child: &mut Child) -> Result<ExitStatus, String> {
    let start = Instant::now();
    while start.elapsed() < LIMIT {
        if let Some(status) = child.try_wait().map_err(|error| error.to_string())? {
            return Ok(status);
        }
        thread::sleep(Duration::from_millis(2));
    }
    child.kill().map_err(|error| error.to_string())?;
    child.wait().map_err(|error| error.to_string())?;
    Err(format!("did not end within {LIMIT:?}"))
}

#[test]
fn an_invocation_is_read_as_a_shell_reads_it() {
    let read = Invocation::parse("A=1 B= masctl manage 'two words' x=y -q <<< 'in put'");
    let expected = Invocation {
        variables: vec![("A".to_owned(), "1".to_owned()), ("B".to_owned(), String::new())],
        words: ["masctl", "manage", "two words", "x=y", "-q"]
            .map(str::to_owned)
            .to_vec(),
        input: Input::Text("in put\n".to_owned()),
    };
    assert_eq!(read, Ok(expected));
    assert_eq!(
        Invocation::parse("masctl 'open"),
        Err("a quote is not closed".to_owned())
    );
    let piped = Invocation::parse("masctl a | masctl b -").expect("it is whole");
    assert_eq!(piped.words, ["masctl", "b", "-"]);
    assert!(matches!(piped.input, Input::Pipe(first) if first.words == ["masctl", "a"]));
    assert_eq!(Invocation::parse("masctl <"), Err("`<` needs a file".to_owned()));
}

#[test]
fn silence_shows_nothing_and_a_missing_newline_is_shown() {
    assert_eq!(lines(""), Vec::<String>::new());
    assert_eq!(lines("a\n\n"), ["a", ""]);
    assert_eq!(lines("a"), ["a", "(no newline)"]);
}
