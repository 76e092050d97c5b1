//! `_`, the last value: to Rhai it is no name, but the rest of a `switch`.

use std::collections::BTreeSet;

use rhai::{Engine, Position, Token};

use super::scan::scan;

/// What the last value is called.
pub(in crate::host) const LAST: &str = "_";

/// Lets `_` be a variable in a text that the engine compiles, wherever it is not the rest of a `switch`.
pub(in crate::host) fn name(engine: &mut Engine, text: &str) {
    let rests = rests(text);
    #[expect(deprecated, reason = "Rhai calls it volatile")]
    engine.on_parse_token(move |token, position, _| match token {
        Token::Underscore if !rests.contains(&position) => Token::Identifier(Box::new(LAST.into())),
        token => token,
    });
}

/// Where `_` is the rest of a `switch`: `_ => …`, `_ if … => …`. Lines and characters are counted from 1, as Rhai does it.
fn rests(text: &str) -> BTreeSet<Position> {
    let code: Vec<_> = scan(text).tokens.into_iter().filter(|token| token.is_code()).collect();
    let pairs = code.iter().zip(code.iter().skip(1));
    let rests = pairs.filter(|(token, next)| token.text(text) == LAST && matches!(next.text(text), "=>" | "if"));
    let (mut from, mut line, mut column) = (0, 1_u16, 1_u16);
    rests
        .map(|(token, _)| {
            for character in text[from..token.start].chars() {
                (line, column) = match character {
                    '\n' => (line.saturating_add(1), 1),
                    _ => (line, column.saturating_add(1)),
                };
            }
            from = token.start;
            Position::new(line, column)
        })
        .collect()
}
