//! `\?`: the meta-commands.

use super::super::conversation::Conversation;
use crate::{
    cli::reference::Page,
    error::Result,
    host::repl::meta::{META_COMMANDS, MetaCommand},
};

/// What else one should know, in one paragraph.
const ELSE: &str = "All else is evaluated: `users::get(\"alice\").emails()`. `_` is the last value, Tab completes, Ctrl-C stops, \
                    Ctrl-D leaves.";

/// Lists them.
pub(super) fn show(conversation: &Conversation) -> Result<()> {
    let mut page = Page::for_people();
    write(&mut page);
    conversation.page(&page.text())
}

fn write(page: &mut Page) {
    page.heading("Meta-commands");
    page.gap();
    let rows: Vec<_> = META_COMMANDS.iter().map(row).collect();
    page.rows(&rows);
    page.gap();
    page.prose(ELSE, 0);
}

fn row(command: &MetaCommand) -> (String, String) {
    (command.usage(), command.about.to_owned())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn shown(width: usize) -> String {
        let mut page = Page::new(Some(width), false);
        write(&mut page);
        page.text()
    }

    #[test]
    fn it_fits_a_terminal_with_the_next_prompt() {
        let text = shown(80);
        assert!(text.lines().count() < 24, "{text}");
        assert_eq!(text.lines().find(|line| line.chars().count() > 80), None, "{text}");
        assert!(
            META_COMMANDS
                .iter()
                .all(|it| text.contains(&format!("    {} ", it.usage())) && text.contains(it.about))
        );
    }

    #[test]
    fn nothing_is_cut_where_the_terminal_is_narrow() {
        let text = shown(40);
        assert_eq!(text.lines().find(|line| line.chars().count() > 40), None, "{text}");
        for command in META_COMMANDS {
            assert!(text.contains(&format!("    {}\n        ", command.usage())), "{text}");
        }
    }
}
