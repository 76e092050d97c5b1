//! Rust sources as text: enough of the language to find imports and to tell code from what is only written about it.

/// Whole words, `::` and single signs, each with its line, counted from 1.
pub(crate) type Tokens<'text> = Vec<(usize, &'text str)>;

/// The text with comments, strings and characters replaced by blanks; lines stay where they are.
pub(crate) fn code(text: &str) -> String {
    let characters: Vec<char> = text.chars().collect();
    let mut code = String::with_capacity(text.len());
    let mut at = 0;
    while at < characters.len() {
        let blanked = blanked(&characters, at);
        let end = at + blanked.max(1);
        for &character in &characters[at..end.min(characters.len())] {
            code.push(if blanked > 0 && character != '\n' {
                ' '
            } else {
                character
            });
        }
        at = end;
    }
    code
}

/// How many characters from `at` on are a comment, a string or a character; none if code is there.
fn blanked(characters: &[char], at: usize) -> usize {
    let rest = &characters[at..];
    match rest {
        ['/', '/', ..] => rest
            .iter()
            .position(|&character| character == '\n')
            .unwrap_or(rest.len()),
        ['/', '*', ..] => block_comment(rest),
        ['"', ..] => string(rest),
        ['\'', '\\', ..] => rest
            .iter()
            .skip(3)
            .position(|&character| character == '\'')
            .map_or(0, |end| end + 4),
        ['\'', _, '\'', ..] => 3,
        ['r', '"' | '#', ..] if !follows_word(characters, at) => raw_string(rest),
        _ => 0,
    }
}

fn follows_word(characters: &[char], at: usize) -> bool {
    let is_prefix = |&character: &char| matches!(character, 'b' | 'c');
    let before = &characters[..at];
    let before = if before.last().is_some_and(is_prefix) {
        &before[..before.len() - 1]
    } else {
        before
    };
    before.last().is_some_and(|character| is_word(*character))
}

fn block_comment(rest: &[char]) -> usize {
    let (mut depth, mut at) = (0_usize, 0);
    while at < rest.len() {
        match rest[at..] {
            ['/', '*', ..] => (depth, at) = (depth + 1, at + 2),
            ['*', '/', ..] if depth == 1 => return at + 2,
            ['*', '/', ..] => (depth, at) = (depth - 1, at + 2),
            _ => at += 1,
        }
    }
    rest.len()
}

fn string(rest: &[char]) -> usize {
    let mut at = 1;
    while at < rest.len() && rest[at] != '"' {
        at += if rest[at] == '\\' { 2 } else { 1 };
    }
    (at + 1).min(rest.len())
}

fn raw_string(rest: &[char]) -> usize {
    let fences = rest.iter().skip(1).take_while(|&&character| character == '#').count();
    if rest.get(1 + fences) != Some(&'"') {
        return 0;
    }
    let is_end = |window: &[char]| window[0] == '"' && window[1..].iter().all(|&character| character == '#');
    let body = &rest[2 + fences..];
    body.windows(1 + fences)
        .position(is_end)
        .map_or(rest.len(), |end| end + 3 + 2 * fences)
}

fn is_word(character: char) -> bool {
    character.is_alphanumeric() || character == '_'
}

/// Cuts code, as [`code`] returns it, into tokens.
pub(crate) fn tokens(code: &str) -> Tokens<'_> {
    let mut tokens = Vec::new();
    for (index, line) in code.lines().enumerate() {
        let mut rest = line.trim_start();
        while let Some(first) = rest.chars().next() {
            let length = match first {
                _ if is_word(first) => rest.find(|character| !is_word(character)).unwrap_or(rest.len()),
                _ if rest.starts_with("::") => 2,
                _ => first.len_utf8(),
            };
            tokens.push((index + 1, &rest[..length]));
            rest = rest[length..].trim_start();
        }
    }
    tokens
}

/// The tokens without the items under `#[cfg(test)]`.
pub(crate) fn without_tests<'text>(tokens: &[(usize, &'text str)]) -> Tokens<'text> {
    const TEST: [&str; 7] = ["#", "[", "cfg", "(", "test", ")", "]"];
    let mut kept = Vec::new();
    let mut at = 0;
    while at < tokens.len() {
        if tokens[at..]
            .iter()
            .map(|(_, token)| token)
            .take(TEST.len())
            .eq(TEST.iter())
        {
            at = item_end(tokens, at + TEST.len());
        } else {
            kept.push(tokens[at]);
            at += 1;
        }
    }
    kept
}

/// Where the item that starts at `at` ends: after its braces, or its semicolon.
fn item_end(tokens: &[(usize, &str)], at: usize) -> usize {
    let mut depth = 0_usize;
    for (index, (_, token)) in tokens.iter().enumerate().skip(at) {
        match *token {
            "{" => depth += 1,
            "}" if depth <= 1 => return index + 1,
            "}" => depth -= 1,
            ";" if depth == 0 => return index + 1,
            _ => {}
        }
    }
    tokens.len()
}

/// The top-level modules of its own crate that a file names, with lines. `depth` is how deep the file's module lies:
/// 0 for `lib.rs`, 1 for `error.rs` and `host/mod.rs`.
pub(crate) fn own_modules<'text>(tokens: &[(usize, &'text str)], depth: usize) -> Tokens<'text> {
    let text = |index: usize| tokens.get(index).map_or("", |(_, token)| *token);
    let mut found = Vec::new();
    let mut braces = 0_usize;
    let mut modules: Vec<usize> = Vec::new();
    for at in 0..tokens.len() {
        match text(at) {
            "{" => {
                if at >= 2 && text(at - 2) == "mod" {
                    modules.push(braces);
                }
                braces += 1;
            }
            "}" => {
                braces = braces.saturating_sub(1);
                modules.pop_if(|opened| *opened == braces);
            }
            "crate" if text(at + 1) == "::" => found.extend(heads(tokens, at + 2)),
            "super" if at == 0 || text(at - 1) != "::" => {
                let supers = (at..).step_by(2).take_while(|&index| text(index) == "super").count();
                if supers == depth + modules.len() {
                    found.extend(heads(tokens, at + 2 * supers));
                }
            }
            _ => {}
        }
    }
    found
}

/// The first names of the path, or of each path of the group, at `at`.
fn heads<'text>(tokens: &[(usize, &'text str)], at: usize) -> Tokens<'text> {
    let is_name = |token: &str| token.chars().all(is_word) && token != "self";
    let Some(&(line, first)) = tokens.get(at) else {
        return Vec::new();
    };
    if first != "{" {
        return if is_name(first) {
            vec![(line, first)]
        } else {
            Vec::new()
        };
    }
    let mut heads = Vec::new();
    let mut depth = 0_usize;
    for pair in tokens[at..].windows(2) {
        match pair[0].1 {
            "{" => depth += 1,
            "}" => depth -= 1,
            _ => {}
        }
        if depth == 0 {
            break;
        }
        if depth == 1 && matches!(pair[0].1, "{" | ",") && is_name(pair[1].1) {
            heads.push(pair[1]);
        }
    }
    heads
}

/// The lines where the file names the crate `name`.
pub(crate) fn uses_of_crate(tokens: &[(usize, &str)], name: &str) -> Vec<usize> {
    let text = |index: usize| tokens.get(index).map_or("", |(_, token)| *token);
    let is_use = |at: &usize| {
        let before = at.checked_sub(1).map_or("", text);
        text(*at) == name && before != "::" && (text(at + 1) == "::" || matches!(before, "use" | "crate"))
    };
    (0..tokens.len()).filter(is_use).map(|at| tokens[at].0).collect()
}

#[test]
fn what_is_not_code_is_blanked() {
    let text = "a // b\n/* c /* d */ e */ f 'g' '\\'' '\\u{1}' &'h i \"j \\\" k\" r#\"l \" m\"# br\"n\" for\"o\" p\n";
    let blanked = code(text);
    let words: Vec<&str> = blanked.split_whitespace().collect();
    assert_eq!(words, ["a", "f", "&'h", "i", "b", "for", "p"]);
    assert_eq!(blanked.chars().count(), text.chars().count());
    assert_eq!(blanked.lines().count(), 2);
}

#[test]
fn tests_are_left_out() {
    let code = "use a;\n#[cfg(test)]\nmod tests { fn b() {} }\nfn c() {}\n#[cfg(test)] mod d;\nfn e() {}";
    let kept: Vec<_> = without_tests(&tokens(code))
        .into_iter()
        .map(|(_, token)| token)
        .collect();
    assert_eq!(kept.join(" "), "use a ; fn c ( ) { } fn e ( ) { }");
}

#[test]
fn modules_are_found_by_crate_and_by_super() {
    let code = "use crate::{a::{x, y}, b};\nuse super::c;\nuse super::super::d;\nlet e = crate::f::g();\n\
                mod tests {\n use super::super::{h};\n use super::super::super::{i, j::k};\n}\nuse super::super::l;";
    assert_eq!(
        own_modules(&tokens(code), 2),
        [(1, "a"), (1, "b"), (3, "d"), (4, "f"), (7, "i"), (7, "j"), (9, "l")]
    );
}

#[test]
fn crates_are_found_where_they_are_named() {
    let code = "use sqlx;\nuse sqlx::Row;\n#[derive(sqlx::Type)]\n#[sqlx(rename)]\nx.sqlx;\ncrate::sqlx::y;\nsqlxx::z";
    assert_eq!(uses_of_crate(&tokens(code), "sqlx"), [1, 2, 3]);
}
