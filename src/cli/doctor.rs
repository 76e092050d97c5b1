//! `masctl doctor`: the checks for people, one below the other, or as rows for programs.

use std::iter;

use clap::Command;
use serde_json::{Value, json};

use super::{
    options::Options,
    render::{self, Format},
    surroundings, table,
    terminal::{printable, wrapped},
};
use crate::{
    error::{Code, Error, Result},
    host,
    operations::doctor::{self, Check, Status},
};

/// The columns before a finding: those of the longest status and of the longest check.
const INDENT: usize = "skipped  ".len() + "homeserver  ".len();

pub(super) fn command() -> Command {
    Command::new("doctor").about("Check everything that masctl and MAS stand on, and say what to do")
}

/// Prints what was found. Something that is wrong makes the exit status 1.
pub(super) fn run(options: &Options) -> Result<()> {
    let configuration = options.configuration();
    let world = surroundings::world()?;
    let checks = host::runtime()?.block_on(doctor::examine(&configuration, &world));
    let text = if options.wish.format == Format::Table && options.wish.fields.is_none() {
        for_people(&checks, table::width())
    } else {
        render::plain(&json!(checks), &options.wish)?
    };
    render::print(&text)?;
    let wrong = checks.iter().filter(|check| check.status == Status::Wrong);
    let mut wrong: Vec<_> = wrong.map(|check| Value::from(check.check)).collect();
    let message = match wrong.len() {
        0 => return Ok(()),
        1 => "1 thing is wrong".to_owned(),
        more => format!("{more} things are wrong"),
    };
    wrong.dedup();
    Err(Error::new(Code::DoctorWrong, message).data("checks", wrong))
}

/// A line for each check, and one for what to do. On a terminal they are wrapped, elsewhere not.
fn for_people(checks: &[Check], width: Option<usize>) -> String {
    let room = width.map(|width| width.saturating_sub(INDENT).max(20));
    let mut text = String::new();
    for check in checks {
        let status = match check.status {
            Status::Ok => "ok",
            Status::Warning => "warning",
            Status::Wrong => "wrong",
            Status::Skipped => "skipped",
        };
        let head = format!("{status:7}  {:10}  ", check.check);
        let finding = lines(&check.finding, room, "").collect::<Vec<_>>();
        let help = check
            .help
            .as_deref()
            .map(|help| lines(help, room, "→ ").collect::<Vec<_>>());
        let heads = iter::once(head).chain(iter::repeat(" ".repeat(INDENT)));
        for (head, line) in heads.zip(finding.into_iter().chain(help.into_iter().flatten())) {
            text.push_str(&head);
            text.push_str(&line);
            text.push('\n');
        }
    }
    text
}

/// The lines of a text, wrapped if there is only so much room, and marked before the first.
fn lines(text: &str, room: Option<usize>, mark: &str) -> impl Iterator<Item = String> {
    let room = room.map(|room| room - mark.chars().count());
    let text = printable(text);
    let lines = text.lines().flat_map(|line| match room {
        Some(room) => wrapped(line, room),
        None => vec![line.to_owned()],
    });
    let lines: Vec<_> = lines.collect();
    let blank = " ".repeat(mark.chars().count());
    let marks = iter::once(mark.to_owned()).chain(iter::repeat(blank));
    marks.zip(lines).map(|(mark, line)| format!("{mark}{line}"))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn findings_are_wrapped_on_a_terminal_and_lines_of_their_own_elsewhere() {
        let check = |check, status, finding: &str, help: Option<&str>| Check {
            check,
            status,
            finding: finding.to_owned(),
            help: help.map(str::to_owned),
        };
        let checks = [
            check("config", Status::Ok, "all is well", None),
            check(
                "homeserver",
                Status::Skipped,
                "something that takes more than a line",
                Some("Do what takes more than one line as well."),
            ),
        ];
        assert_eq!(
            for_people(&checks, None),
            "\
ok       config      all is well
skipped  homeserver  something that takes more than a line
                     → Do what takes more than one line as well.
"
        );
        assert_eq!(
            for_people(&checks, Some(50)),
            "\
ok       config      all is well
skipped  homeserver  something that takes more
                     than a line
                     → Do what takes more than one
                       line as well.
"
        );
    }
}
