//! Transcripts: Markdown whose `console` blocks hold commands and their whole output, played on both stores.
//!
//! `tests/runner/` shows all that a transcript can hold. `UPDATE=1` rewrites what differs; change output freely, but
//! knowingly. The run on PostgreSQL rewrites, and the one on SQLite compares, except where only SQLite plays.

use std::{
    env, fs,
    path::Path,
    sync::{Mutex, PoisonError},
};

use super::{
    diff::diff,
    session::{Program, Session},
    store::Store,
};

struct Transcript {
    lines: Vec<String>,
    scope: Scope,
    blocks: Vec<Block>,
}

/// Where a transcript plays.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Scope {
    BothStores,
    One(Store),
    Embedded,
}

/// What a fenced block is.
enum Tag {
    Prose,
    /// To be played, on both stores unless one is named.
    Console(Option<Store>),
}

struct Block {
    /// The index of its first line.
    first: usize,
    /// The index of the fence that ends it.
    end: usize,
    only: Option<Store>,
    commands: Vec<Command>,
}

struct Command {
    /// The lines as they stand there, the first with its `$ `.
    source: Vec<String>,
    /// The index of its first line.
    line: usize,
}

/// Plays the transcript at `path` on `store` and compares, or rewrites it if the environment has `UPDATE`.
pub(crate) fn play(path: &Path, store: Store, program: Program) {
    static UPDATING: Mutex<()> = Mutex::new(());
    if env::var_os("UPDATE").is_none() {
        return compare(path, store, program, "");
    }
    // Both runs read and write the same file, and SQLite's compares with what PostgreSQL's wrote.
    let _one_at_a_time = UPDATING.lock().unwrap_or_else(PoisonError::into_inner);
    if store == Store::Sqlite {
        update(path, Store::Postgres, program, "_again");
    }
    update(path, store, program, "");
    compare(path, store, program, "_updated");
}

/// Plays a transcript with the system's own clock and randomness, where only what always holds can be checked.
pub(crate) fn rehearse(path: &Path, store: Store) {
    drop(Transcript::read(path).outcomes(path, store, Program::Watched { real: true }, "_real"));
}

fn compare(path: &Path, store: Store, program: Program, suffix: &str) {
    let transcript = Transcript::read(path);
    let differences: Vec<String> = transcript
        .outcomes(path, store, program, suffix)
        .into_iter()
        .filter_map(|(block, got)| {
            let expected = &transcript.lines[block.first..block.end];
            let place = format!("{}:{} on {store:?}", path.display(), block.first + 1);
            (got != expected).then(|| format!("{place} (- expected, + got)\n{}", diff(expected, &got)))
        })
        .collect();
    assert!(differences.is_empty(), "\n{}\n", differences.join("\n\n"));
}

fn update(path: &Path, store: Store, program: Program, suffix: &str) {
    let transcript = Transcript::read(path);
    let mut lines = transcript.lines.clone();
    // From the end, so that the places of the blocks before stay right.
    for (block, got) in transcript.outcomes(path, store, program, suffix).into_iter().rev() {
        if transcript.writer(block) == store {
            lines.splice(block.first..block.end, got);
        }
    }
    if lines != transcript.lines {
        fs::write(path, lines.join("\n") + "\n").expect("the transcript can be written");
    }
}

impl Transcript {
    fn read(path: &Path) -> Self {
        let text = fs::read_to_string(path).unwrap_or_else(|error| panic!("{}: {error}", path.display()));
        Self::parse(&text).unwrap_or_else(|(index, problem)| panic!("{}:{}: {problem}", path.display(), index + 1))
    }

    /// Fails with the index of a line and what is wrong with it.
    fn parse(text: &str) -> Result<Self, (usize, String)> {
        let lines: Vec<String> = text.lines().map(str::to_owned).collect();
        let first = lines.first().map(String::as_str).unwrap_or_default();
        let scope = scope(first).map_err(|problem| (0, problem))?;
        let mut blocks = Vec::new();
        let mut index = 0;
        while index < lines.len() {
            let Some((fence, tag)) = opening_fence(&lines[index]).map_err(|problem| (index, problem))? else {
                index += 1;
                continue;
            };
            let end = (index + 1..lines.len()).find(|&end| lines[end] == fence);
            let end = end.ok_or_else(|| (index, "the block has no end".to_owned()))?;
            if let Tag::Console(only) = tag {
                let commands = commands(&lines, index + 1, end)?;
                blocks.push(Block {
                    first: index + 1,
                    end,
                    only,
                    commands,
                });
            }
            index = end + 1;
        }
        Ok(Self { lines, scope, blocks })
    }

    /// The blocks that play on `store`, each with what its lines ought to be.
    fn outcomes(&self, path: &Path, store: Store, program: Program, suffix: &str) -> Vec<(&Block, Vec<String>)> {
        let plays = match self.scope {
            Scope::BothStores => true,
            Scope::One(only) => only == store,
            Scope::Embedded => store == Store::Sqlite,
        };
        if !plays {
            return Vec::new();
        }
        let session = Session::open(&(name(path) + suffix), store, self.scope == Scope::Embedded, program);
        let mut number = 0;
        let mut outcomes = Vec::new();
        for block in &self.blocks {
            let is_played = block.only.is_none_or(|only| only == store);
            let mut got = Vec::new();
            for command in &block.commands {
                // Skipped commands count too: ids must not depend on the store.
                number += usize::from(command.is_masctl());
                if is_played {
                    got.extend(command.source.clone());
                    got.extend(command.play(&session, number).unwrap_or_else(|problem| {
                        panic!("{}:{} on {store:?}: {problem}", path.display(), command.line + 1)
                    }));
                }
            }
            if is_played {
                outcomes.push((block, got));
            }
        }
        outcomes
    }

    /// The store whose run rewrites `block`.
    fn writer(&self, block: &Block) -> Store {
        block.only.unwrap_or(match self.scope {
            Scope::BothStores => Store::Postgres,
            Scope::One(only) => only,
            Scope::Embedded => Store::Sqlite,
        })
    }
}

impl Command {
    fn text(&self) -> String {
        let text = joined(&self.source);
        text.strip_prefix("$ ").unwrap_or(&text).to_owned()
    }

    fn is_masctl(&self) -> bool {
        let text = self.text();
        let is_variable = |word: &&str| word.contains('=');
        !text.starts_with("sql ") && text.split_whitespace().find(|word| !is_variable(word)) == Some("masctl")
    }

    fn play(&self, session: &Session, number: usize) -> Result<Vec<String>, String> {
        let shown = session.play(&self.text(), number)?;
        match shown
            .iter()
            .find(|line| line.starts_with("$ ") || line.starts_with("```"))
        {
            Some(line) => Err(format!("a transcript cannot show the line `{line}`")),
            None => Ok(shown),
        }
    }
}

/// The file's name with its folder's: `manage_lock_user`.
fn name(path: &Path) -> String {
    let parts = [path.parent().and_then(Path::file_name), path.file_stem()];
    let name = parts
        .into_iter()
        .flatten()
        .map(|part| part.to_string_lossy())
        .collect::<Vec<_>>()
        .join("_");
    name.replace(|character: char| !character.is_ascii_alphanumeric(), "_")
        .to_ascii_lowercase()
}

fn scope(line: &str) -> Result<Scope, String> {
    let Some(switch) = line.strip_prefix("<!--").and_then(|rest| rest.strip_suffix("-->")) else {
        return Ok(Scope::BothStores);
    };
    match switch.trim() {
        "store: embedded" => Ok(Scope::Embedded),
        "store: postgres" => Ok(Scope::One(Store::Postgres)),
        "store: sqlite" => Ok(Scope::One(Store::Sqlite)),
        other => Err(format!("`{other}` is none of store: embedded, postgres, sqlite")),
    }
}

/// The fence that a line opens, and what its block is.
fn opening_fence(line: &str) -> Result<Option<(&str, Tag)>, String> {
    let info = line.trim_start_matches('`');
    let fence = &line[..line.len() - info.len()];
    if fence.len() < 3 {
        return Ok(None);
    }
    let tag = match info.trim() {
        "console" => Tag::Console(None),
        "console postgres" => Tag::Console(Some(Store::Postgres)),
        "console sqlite" => Tag::Console(Some(Store::Sqlite)),
        other if other.starts_with("console") => {
            return Err(format!(
                "`{other}` is none of console, console postgres, console sqlite"
            ));
        }
        _ => Tag::Prose,
    };
    Ok(Some((fence, tag)))
}

/// A command goes on over lines until its quotes are closed and no backslash is left.
fn commands(lines: &[String], first: usize, end: usize) -> Result<Vec<Command>, (usize, String)> {
    let mut commands = Vec::new();
    let mut index = first;
    if !lines[first].starts_with("$ ") {
        return Err((first, "a block starts with a command".to_owned()));
    }
    while index < end {
        if lines[index].starts_with("$ ") {
            let is_whole = |last: &usize| is_whole(&joined(&lines[index..=*last]));
            let last = (index..end)
                .find(is_whole)
                .ok_or_else(|| (index, "the command has no end".to_owned()))?;
            commands.push(Command {
                source: lines[index..=last].to_vec(),
                line: index,
            });
            index = last;
        }
        index += 1;
    }
    Ok(commands)
}

fn is_whole(text: &str) -> bool {
    shlex::split(text).is_some()
}

/// The lines as one text, without the backslashes outside of quotes that only say that a command goes on.
fn joined(lines: &[String]) -> String {
    let mut lines = lines.iter();
    let mut text = lines.next().cloned().unwrap_or_default();
    for line in lines {
        let continued = text.strip_suffix('\\').filter(|before| is_whole(before)).map(str::len);
        match continued {
            Some(length) => text.truncate(length),
            None => text.push('\n'),
        }
        text.push_str(line);
    }
    text
}

#[test]
fn a_command_is_read_over_its_lines() {
    let text = "```console\n$ a \\\n  b 'c \\\nd'\nout\n$ e\n```\n";
    let transcript = Transcript::parse(text).unwrap_or_else(|(line, problem)| panic!("{line}: {problem}"));
    let commands: Vec<String> = transcript.blocks[0].commands.iter().map(Command::text).collect();
    assert_eq!(commands, ["a   b 'c \\\nd'", "e"]);
}

#[test]
fn a_transcript_that_cannot_be_played_is_refused_at_its_line() {
    let refused = |text: &str| Transcript::parse(text).err().unwrap_or_default();
    assert_eq!(refused("<!-- store: mysql -->").0, 0);
    assert_eq!(refused("\n```console mysql\n```").0, 1);
    assert_eq!(
        refused("```console\nout\n```"),
        (1, "a block starts with a command".to_owned())
    );
    assert_eq!(
        refused("```console\n$ a 'b\n```"),
        (1, "the command has no end".to_owned())
    );
    assert_eq!(refused("```console\n$ a"), (0, "the block has no end".to_owned()));
}
