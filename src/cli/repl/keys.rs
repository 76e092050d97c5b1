//! What keys do at the prompt beside what the line editor makes of them.

use std::sync::{Arc, Mutex, PoisonError};

use rustyline::{
    Cmd, ConditionalEventHandler, EditMode, Event, EventContext, EventHandler, Helper, InputMode, KeyCode, KeyEvent,
    Modifiers, RepeatCount, history::History,
};

use super::highlight::is_hidden;
use crate::host::repl::{
    entry::{self, Shape},
    scan::scan,
};

/// The most lines of what is pasted: the editor counts the rows of the screen in 16 bits.
const MOST_LINES: usize = 10_000;

/// How often Ctrl-C is pressed by somebody whose terminal has not said where what is pasted ends.
const MOST_PRESSES: u8 = 3;

/// What a line of an unfinished input begins with, for each bracket that is open.
const INDENT: &str = "    ";

/// What is pasted is taken as one text, which is inserted when it is whole: no key in it does anything.
#[derive(Clone, Debug, Default)]
pub(super) struct Keys(Arc<Mutex<Pasting>>);

#[derive(Debug, Default)]
struct Pasting {
    /// What has come of a text that is being pasted.
    text: Option<Paste>,
    /// Whether the last one was too long.
    was_too_long: bool,
}

#[derive(Debug, Default)]
struct Paste {
    text: String,
    lines: usize,
    is_too_long: bool,
    after_return: bool,
    /// How often Ctrl-C was pressed since anything else.
    presses: u8,
}

impl Keys {
    /// Gives an editor these keys.
    pub(super) fn bind<H: Helper, I: History>(&self, editor: &mut rustyline::Editor<H, I>) {
        let key = |code| KeyEvent(code, Modifiers::NONE);
        let ctrl = |letter| KeyEvent(KeyCode::Char(letter), Modifiers::CTRL);
        let newline = [
            KeyEvent(KeyCode::Enter, Modifiers::ALT),
            KeyEvent(KeyCode::Char('\r'), Modifiers::ALT),
            KeyEvent(KeyCode::Char('M'), Modifiers::CTRL_ALT),
            KeyEvent(KeyCode::Char('J'), Modifiers::CTRL_ALT),
        ];
        let handled = [
            key(KeyCode::Enter),
            ctrl('M'),
            ctrl('J'),
            ctrl('D'),
            ctrl('V'),
            ctrl('Q'),
        ];
        for key in handled.into_iter().chain(newline) {
            editor.bind_sequence(key, self.handler());
        }
        editor.bind_sequence(Event::Any, self.handler());
    }

    fn handler(&self) -> EventHandler {
        EventHandler::Conditional(Box::new(self.clone()))
    }

    /// Whether the last text that was pasted was too long, and nothing of it was taken. Said once.
    pub(super) fn take_too_long(&self) -> bool {
        std::mem::take(&mut self.0.lock().unwrap_or_else(PoisonError::into_inner).was_too_long)
    }

    /// Takes nothing of what is being pasted, whose end does not come.
    pub(super) fn give_up(&self) {
        self.0.lock().unwrap_or_else(PoisonError::into_inner).text = None;
    }

    /// What a key does to what is being pasted.
    fn paste(&self, key: KeyEvent, input_mode: Option<InputMode>) -> Option<Cmd> {
        let mut pasting = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        match (key.0, &mut pasting.text) {
            // There the editor takes digits for itself before it asks.
            (KeyCode::BracketedPasteStart, None) if input_mode != Some(InputMode::Command) => {
                pasting.text = Some(Paste::default());
                Some(Cmd::Noop)
            }
            (KeyCode::BracketedPasteEnd, Some(_)) => {
                let paste = pasting.text.take()?;
                pasting.was_too_long = paste.is_too_long;
                Some(if paste.is_too_long {
                    Cmd::Repaint
                } else {
                    Cmd::Insert(1, paste.text)
                })
            }
            (_, Some(paste)) => {
                paste.take(key);
                if paste.presses < MOST_PRESSES {
                    return Some(Cmd::Noop);
                }
                pasting.text = None;
                Some(Cmd::Interrupt)
            }
            _ => None,
        }
    }
}

impl Paste {
    fn take(&mut self, KeyEvent(code, modifiers): KeyEvent) {
        let is_ctrl_c = code == KeyCode::Char('C') && modifiers == Modifiers::CTRL;
        self.presses = if is_ctrl_c { self.presses + 1 } else { 0 };
        let character = match code {
            KeyCode::Enter => '\n',
            KeyCode::Tab => '\t',
            KeyCode::Char('J') if modifiers == Modifiers::CTRL && std::mem::take(&mut self.after_return) => return,
            KeyCode::Char('M' | 'J') if modifiers == Modifiers::CTRL => '\n',
            KeyCode::Char('I') if modifiers == Modifiers::CTRL => '\t',
            KeyCode::Char(character) if modifiers == Modifiers::NONE && !is_hidden(character) => character,
            _ => return,
        };
        self.after_return = matches!(code, KeyCode::Enter | KeyCode::Char('M')) && character == '\n';
        self.lines += usize::from(character == '\n');
        self.is_too_long |= self.text.len() >= entry::LONGEST || self.lines >= MOST_LINES;
        if !self.is_too_long {
            self.text.push(character);
        }
    }
}

impl ConditionalEventHandler for Keys {
    fn handle(&self, event: &Event, _: RepeatCount, _: bool, context: &EventContext) -> Option<Cmd> {
        let key = *event.get(0)?;
        let is_vi = context.mode() == EditMode::Vi;
        if let Some(command) = self.paste(key, is_vi.then(|| context.input_mode())) {
            return Some(command);
        }
        match key {
            KeyEvent(KeyCode::Enter | KeyCode::Char('M' | 'J' | '\r'), modifiers)
                if modifiers.contains(Modifiers::ALT) =>
            {
                Some(Cmd::Newline)
            }
            KeyEvent(KeyCode::Enter, _) | KeyEvent(KeyCode::Char('M' | 'J'), Modifiers::CTRL) => {
                next_line(context.line(), context.pos()).map(|text| Cmd::Insert(1, text))
            }
            // It must not enter what is not whole, as it does with the keys of vi.
            KeyEvent(KeyCode::Char('D'), Modifiers::CTRL) if context.line().is_empty() => Some(Cmd::EndOfFile),
            KeyEvent(KeyCode::Char('D'), Modifiers::CTRL) if is_vi => Some(Cmd::Noop),
            // A control character has no place in an input.
            KeyEvent(KeyCode::Char('V' | 'Q'), Modifiers::CTRL) => Some(Cmd::Noop),
            KeyEvent(KeyCode::Char(character), Modifiers::NONE) if is_hidden(character) => Some(Cmd::Noop),
            _ => None,
        }
    }
}

/// What goes on with an input that is not whole: a new line, indented by what is open. In a string that would be a part of
/// it, and is left out.
fn next_line(line: &str, cursor: usize) -> Option<String> {
    if cursor < line.len() || entry::shape(line) != Shape::Incomplete {
        return None;
    }
    let scan = scan(line);
    if scan
        .inside()
        .is_some_and(|opened| !matches!(opened.what, crate::host::repl::scan::Open::Line))
    {
        return None;
    }
    let depth = scan
        .open
        .iter()
        .filter(|opened| matches!(opened.what, crate::host::repl::scan::Open::Bracket(_)));
    Some(format!("\n{}", INDENT.repeat(depth.count().clamp(1, 10))))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn pasted(keys: &Keys, text: &str) -> Option<Cmd> {
        let key = |code| KeyEvent(code, Modifiers::NONE);
        assert_eq!(keys.paste(key(KeyCode::BracketedPasteStart), None), Some(Cmd::Noop));
        for character in text.chars() {
            assert_eq!(
                keys.paste(KeyEvent::new(character, Modifiers::NONE), None),
                Some(Cmd::Noop)
            );
        }
        keys.paste(key(KeyCode::BracketedPasteEnd), None)
    }

    #[test]
    fn what_is_pasted_is_one_text_without_what_steers() {
        let keys = Keys::default();
        let text = "let a = 1;\rlet b\t= 2;\r\nc\nd\u{202e}\x07é\x03\x04";
        assert_eq!(
            pasted(&keys, text),
            Some(Cmd::Insert(1, "let a = 1;\nlet b\t= 2;\nc\ndé".to_owned()))
        );
        assert_eq!(keys.paste(KeyEvent::new('a', Modifiers::NONE), None), None);
        assert!(!keys.take_too_long());
    }

    #[test]
    fn what_is_too_long_is_not_taken_in_part() {
        let keys = Keys::default();
        for text in ["x".repeat(1024 * 1024), "\r".repeat(MOST_LINES)] {
            assert_eq!(pasted(&keys, &text), Some(Cmd::Repaint));
            assert!(keys.take_too_long() && !keys.take_too_long());
        }
    }

    #[test]
    fn what_is_given_up_is_not_taken() {
        let keys = Keys::default();
        let key = |code| KeyEvent(code, Modifiers::NONE);
        keys.paste(key(KeyCode::BracketedPasteStart), None);
        keys.give_up();
        assert_eq!(keys.paste(KeyEvent::new('a', Modifiers::NONE), None), None);
    }

    #[test]
    fn ctrl_c_ends_a_paste_whose_end_never_comes() {
        let keys = Keys::default();
        let key = |code| KeyEvent(code, Modifiers::NONE);
        let ctrl_c = KeyEvent(KeyCode::Char('C'), Modifiers::CTRL);
        assert_eq!(keys.paste(key(KeyCode::BracketedPasteStart), None), Some(Cmd::Noop));
        for pressed in [ctrl_c, ctrl_c, key(KeyCode::Char('a')), ctrl_c, ctrl_c] {
            assert_eq!(keys.paste(pressed, None), Some(Cmd::Noop));
        }
        assert_eq!(keys.paste(ctrl_c, None), Some(Cmd::Interrupt));
        assert_eq!(keys.paste(key(KeyCode::Char('a')), None), None);
    }

    #[test]
    fn a_line_that_goes_on_is_indented() {
        let next = |line: &str| next_line(line, line.len());
        assert_eq!(next("fn f() {").as_deref(), Some("\n    "));
        assert_eq!(next("f(#{").as_deref(), Some("\n        "));
        assert_eq!(next("1 +").as_deref(), Some("\n    "));
        assert_eq!(next("f( // a").as_deref(), Some("\n    "));
        assert_eq!(
            (next("`a"), next("/* a"), next("f()"), next("\\d")),
            (None, None, None, None)
        );
        assert_eq!(next_line("f(", 0), None);
    }
}
