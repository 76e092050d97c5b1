//! `\mode`: what inputs may do.

use super::super::conversation::Conversation;
use crate::{
    cli::{reference::Page, render},
    config::Database,
    console::Console,
    error::{Code, Error, Result, nearest, shortened},
    host::repl::{Mode, meta::MetaCommand},
};

/// Shows the modes, or sets one.
pub(super) fn show_or_set(conversation: &mut Conversation, command: &MetaCommand, name: &str) -> Result<()> {
    if name.is_empty() {
        let mut page = Page::for_people();
        page.rows(&rows(conversation.session.mode()));
        return render::print(&page.text());
    }
    let mode = Mode::named(&name.to_lowercase()).ok_or_else(|| unknown(command, name))?;
    conversation.session.set_mode(mode);
    let console = &conversation.console;
    console.say(&format!("{}: {}", mode.in_capitals(), said(mode)));
    if mode == Mode::Write
        && let database @ Database::Postgres(_) = conversation.session.database()
    {
        let label = database.label();
        console.warn(&format!(
            "each input changes {label} at once, without a question; `\\mode plan` asks before"
        ));
    }
    Ok(())
}

fn unknown(command: &MetaCommand, name: &str) -> Error {
    let names: Vec<_> = Mode::ALL.iter().map(|mode| mode.as_str()).collect();
    let error = command.refuse(
        Code::ArgumentInvalid,
        format!("There is no mode `{}`", shortened(name, 64)),
    );
    match nearest(&name.to_lowercase(), &names) {
        Some(meant) => error.help(format!("Did you mean `\\mode {meant}`?")),
        None => error,
    }
}

/// Each mode, and which of them it is.
fn rows(current: Mode) -> Vec<(String, String)> {
    let row = |mode: &Mode| {
        let mark = if *mode == current { "*" } else { " " };
        (format!("{mark} {}", mode.as_str()), said(*mode))
    };
    Mode::ALL.iter().map(row).collect()
}

fn said(mode: Mode) -> String {
    mode.meaning().trim_end_matches('.').to_owned()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_mode_at_hand_is_marked() {
        let rows = rows(Mode::Plan);
        let shown: Vec<_> = rows.iter().map(|(name, _)| name.as_str()).collect();
        assert_eq!(shown, ["  read", "* plan", "  write"]);
        assert_eq!(rows[0].1, "Only read");
        assert_eq!((Mode::named("write"), Mode::named("rite")), (Some(Mode::Write), None));
    }
}
