//! `masctl scripts list`: every command, and where it is from.

use clap::Command;
use serde_json::{Value, json};

use crate::{
    cli::{
        options::Options,
        render::{self, Format},
        table,
        terminal::{printable, wrapped},
    },
    error::Result,
    host::catalogue,
};

/// The word for what ships.
const SHIPPED: &str = "shipped";

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
    let rows = rows()?;
    let is_for_people = options.wish.format == Format::Table && options.wish.fields.is_none();
    render::print(&match table::width().filter(|_| is_for_people) {
        Some(width) => for_people(&rows, width.min(100)),
        None => {
            let rows = rows.iter().map(|row| {
                json!({
                    "name": row.name,
                    "group": row.group,
                    "from": row.from,
                    "about": row.about,
                    "problem": row.problem,
                })
            });
            render::plain(&Value::Array(rows.collect()), &options.wish)?
        }
    })
}

fn rows() -> Result<Vec<Row>> {
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

/// As `masctl manage --help` lists them.
fn for_people(rows: &[Row], width: usize) -> String {
    let longest = rows
        .iter()
        .map(|row| row.name.chars().count())
        .max()
        .unwrap_or_default();
    let mut text = String::new();
    let mut group = "";
    for row in rows {
        if row.group != group {
            group = row.group;
            let gap = if text.is_empty() { "" } else { "\n" };
            text.push_str(&format!("{gap}{group}:\n"));
        }
        let told = match &row.problem {
            Some(problem) => problem.clone(),
            None if row.from == SHIPPED => row.about.clone(),
            None => format!("{} ({})", row.about, row.from),
        };
        let lines = wrapped(&printable(&told), width.saturating_sub(longest + 4).max(20));
        let told = lines.join(&format!("\n{:1$}", "", longest + 4));
        text.push_str(&format!("  {:longest$}  {told}\n", printable(&row.name)));
    }
    text
}
