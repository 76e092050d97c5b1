//! `masctl scripts list`: every command, and where it is from.

use std::{fmt::Write, path::PathBuf};

use clap::Command;
use serde_json::{Value, json};

use crate::{
    cli::{
        options::Options,
        pager,
        render::{self, Format, Wish},
        table,
        terminal::{Terminal, one_line, printable, wrapped},
    },
    console::Console,
    error::Result,
    host::{
        catalogue,
        folders::{self, Found},
    },
};

/// The widest lines that one likes to read.
const WIDEST: usize = 100;

/// The word for what ships.
const SHIPPED: &str = "shipped";

/// The heading of the operator's own, and of what is in their folders and no command.
const OWN: &str = "Your scripts";
const UNUSABLE: &str = "Cannot be used";

/// A file or command.
struct Row {
    name: String,
    group: &'static str,
    about: String,
    from: String,
    problem: Option<String>,
}

pub(super) fn command() -> Command {
    Command::new("list").about("List all commands, and where each is from")
}

pub(super) fn run(options: &Options) -> Result<()> {
    let console = Terminal::new(options);
    let configuration = options.configuration();
    let rows = rows(configuration.and_then(|it| it.script_folders()), &console)?;
    console.release();
    let is_for_people = options.wish.format == Format::Table && options.wish.fields.is_none();
    if let Some(width) = table::width().filter(|_| is_for_people) {
        return pager::show(&for_people(&rows, width.min(WIDEST)));
    }
    render::print(&render::plain(&values(&rows), &options.wish)?)
}

/// The list as a session shows it, on a terminal of this width; elsewhere as rows.
///
/// # Errors
/// As those of [`run`].
pub(in crate::cli) fn listed(folders: Result<Vec<PathBuf>>, console: &dyn Console) -> Result<String> {
    let rows = rows(folders, console)?;
    match table::width() {
        Some(width) => Ok(for_people(&rows, width.min(WIDEST))),
        None => render::plain(&values(&rows), &Wish::default()),
    }
}

/// All of them. Also where the configuration is wrong there are those that ship.
fn rows(folders: Result<Vec<PathBuf>>, console: &dyn Console) -> Result<Vec<Row>> {
    let mut rows = shipped()?;
    match folders {
        Ok(folders) => rows.extend(own(&folders)),
        Err(error) => console.warn(&format!("your scripts are not listed: {}", error.message())),
    }
    Ok(rows)
}

fn values(rows: &[Row]) -> Value {
    let value = |row: &Row| {
        json!({
            "name": row.name,
            "group": row.group,
            "from": row.from,
            "about": row.about,
            "problem": row.problem,
        })
    };
    rows.iter().map(value).collect()
}

fn shipped() -> Result<Vec<Row>> {
    let scripts = catalogue::outlined_manage_scripts(|_| false)?;
    let mut rows = Vec::with_capacity(scripts.len());
    for (group, names) in catalogue::manage_groups() {
        for script in names.filter_map(|name| scripts.iter().find(|script| script.name == name)) {
            rows.push(Row {
                name: script.name.clone(),
                group,
                about: script.header.about.clone(),
                from: SHIPPED.to_owned(),
                problem: None,
            });
        }
    }
    Ok(rows)
}

/// What is in the scripts folders: commands, then what is none.
fn own(folders: &[PathBuf]) -> Vec<Row> {
    let row = |found: Found| {
        let from = found.path.display().to_string();
        let (group, about, problem) = match found.script {
            Ok(script) => (OWN, script.header.about, None),
            Err(error) => (UNUSABLE, String::new(), Some(error.message().to_owned())),
        };
        Row {
            name: found.name,
            group,
            about,
            from,
            problem,
        }
    };
    let mut rows: Vec<_> = folders::find(folders).into_iter().map(row).collect();
    rows.sort_by_key(|row| row.problem.is_some());
    rows
}

/// As `masctl manage --help` lists them.
fn for_people(rows: &[Row], width: usize) -> String {
    let longest = rows
        .iter()
        .map(|row| row.name.chars().count())
        .max()
        .unwrap_or_default();
    // Writing to a text cannot fail.
    let mut text = String::new();
    let mut group = "";
    for row in rows {
        if row.group != group {
            group = row.group;
            let gap = if text.is_empty() { "" } else { "\n" };
            let _ = writeln!(text, "{gap}{group}:");
        }
        let told = match &row.problem {
            Some(problem) => problem.clone(),
            None if row.from == SHIPPED => row.about.clone(),
            None => format!("{} ({})", row.about, row.from),
        };
        let lines = wrapped(&one_line(&printable(&told)), width.saturating_sub(longest + 4).max(20));
        let told = lines.join(&format!("\n{:1$}", "", longest + 4));
        let _ = writeln!(text, "  {:longest$}  {told}", one_line(&printable(&row.name)));
    }
    text
}
