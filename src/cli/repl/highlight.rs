//! The colors of an input, and what of it is shown at all.

use std::{borrow::Cow, fmt::Write as _};

use rustyline::GraphemeClusterMode;

use super::super::terminal::steers;
use crate::host::repl::scan::{Kind, Scan, Token, scan};

/// The most bytes that are colored: beyond, each key would be felt.
pub(super) const LONGEST: usize = 16 * 1024;

/// An input as it is shown: in colors if wanted, with the bracket at the cursor and its partner in bold. What would steer
/// the terminal is left out, or takes the width that the editor believes it to have.
pub(super) fn shown(line: &str, cursor: Option<usize>, color: bool, widths: GraphemeClusterMode) -> Cow<'_, str> {
    if !color || line.len() > LONGEST {
        return harmless(line, widths);
    }
    if let Some(rest) = line.trim_start().strip_prefix('\\') {
        let end = line.len()
            - rest
                .trim_start_matches(|character: char| !character.is_whitespace())
                .len();
        let (name, arguments) = line.split_at(end);
        return format!(
            "\x1b[35m{}\x1b[0m{}",
            harmless(name, widths),
            harmless(arguments, widths)
        )
        .into();
    }
    let scan = scan(line);
    let pair = cursor.and_then(|cursor| pair(&scan, cursor));
    let mut shown = String::with_capacity(line.len() * 2);
    for token in &scan.tokens {
        let text = harmless(token.text(line), widths);
        let is_marked = pair.is_some_and(|pair| pair.contains(&token.start));
        let color = if is_marked { Some("1;4") } else { color_of(*token, line) };
        match color {
            Some(color) => {
                let _ = write!(shown, "\x1b[{color}m{text}\x1b[0m");
            }
            None => shown.push_str(&text),
        }
    }
    shown.into()
}

/// Whether there is a bracket at the cursor that has a partner.
pub(super) fn is_at_pair(line: &str, cursor: usize) -> bool {
    line.len() <= LONGEST && pair(&scan(line), cursor).is_some()
}

/// Where the bracket under the cursor, or else the one before it, and its partner begin.
fn pair(scan: &Scan, cursor: usize) -> Option<[usize; 2]> {
    let before = cursor.checked_sub(1).and_then(|byte| scan.token_at(byte));
    let brackets = [scan.token_at(cursor), before].into_iter().flatten();
    let mut brackets = brackets.filter(|token| matches!(token.kind, Kind::Open | Kind::Close));
    brackets.find_map(|token| Some([token.start, scan.partner(token.start)?.start]))
}

fn color_of(token: Token, line: &str) -> Option<&'static str> {
    Some(match token.kind {
        Kind::Keyword => "35",
        Kind::Text | Kind::Char => "32",
        Kind::Number => "36",
        Kind::Comment | Kind::Doc => "90",
        Kind::Namespace => "34",
        Kind::Call => "33",
        Kind::Reserved | Kind::Unknown => "31",
        Kind::Name if token.text(line) == "_" => "1",
        Kind::Name | Kind::Operator | Kind::Open | Kind::Close | Kind::Space => return None,
    })
}

/// A text that cannot steer the terminal and is as wide as the editor believes it to be.
fn harmless(text: &str, widths: GraphemeClusterMode) -> Cow<'_, str> {
    if !text.chars().any(is_hidden) {
        return text.into();
    }
    let mut shown = String::with_capacity(text.len());
    for character in text.chars() {
        if !is_hidden(character) {
            shown.push(character);
        } else if widths.width(character.encode_utf8(&mut [0; 4])) > 0 {
            shown.push('\u{fffd}');
        }
    }
    shown.into()
}

/// Whether a character has no place in an input: it is not seen there.
pub(super) fn is_hidden(character: char) -> bool {
    steers(character) && character != '\n' && character != '\t'
}

#[cfg(test)]
mod tests {
    use super::*;

    fn colored(line: &str, cursor: Option<usize>) -> String {
        shown(line, cursor, true, GraphemeClusterMode::WcWidth).replace('\x1b', "~")
    }

    #[test]
    fn tokens_have_colors() {
        assert_eq!(
            colored("let a = users::get(\"b\", 1); _ // c", None),
            "~[35mlet~[0m a = ~[34musers~[0m::~[33mget~[0m(~[32m\"b\"~[0m, ~[36m1~[0m); ~[1m_~[0m ~[90m// c~[0m"
        );
        assert_eq!(colored("\\d users", None), "~[35m\\d~[0m users");
        assert_eq!(shown("let a", None, false, GraphemeClusterMode::WcWidth), "let a");
    }

    #[test]
    fn the_bracket_at_the_cursor_and_its_partner_are_marked() {
        assert_eq!(colored("(a)", Some(0)), "~[1;4m(~[0ma~[1;4m)~[0m");
        assert_eq!(colored("(a)", Some(3)), "~[1;4m(~[0ma~[1;4m)~[0m");
        assert_eq!(colored("(a)b", Some(4)), "(a)b");
        assert_eq!(colored("(a", Some(0)), "(a");
    }

    #[test]
    fn nothing_steers_the_terminal() {
        let hostile = "a\x1b[2J\u{202e}\u{9b}31m\x07b\tc\n";
        for color in [false, true] {
            let shown = shown(hostile, Some(1), color, GraphemeClusterMode::WcWidth);
            assert!(!shown.contains(['\u{202e}', '\u{9b}', '\x07']), "{shown:?}");
            assert!(!shown.contains("\x1b[2J"), "{shown:?}");
        }
        assert_eq!(shown("a\x07b", None, false, GraphemeClusterMode::Unicode), "a\u{fffd}b");
        assert_eq!(shown("a\x07b", None, false, GraphemeClusterMode::WcWidth), "ab");
    }

    #[test]
    fn a_long_input_has_no_colors() {
        let long = "let ".repeat(LONGEST);
        assert_eq!(shown(&long, Some(0), true, GraphemeClusterMode::WcWidth), long);
    }
}
