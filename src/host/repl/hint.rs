//! What is told, while somebody types, of how it can go on.

use super::{
    State,
    complete::{self, Around, Code, Cursor, Place, Sources},
    meta::MARK,
    scan::Kind,
};

/// What is told of how the end of a text can go on.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Hint {
    /// What would be written, if it can only go on so. It may be taken over.
    pub rest: String,
    /// What is only told: what a function takes and returns, and what it does.
    pub note: String,
}

impl Hint {
    /// The whole of it in one line.
    #[must_use]
    pub fn shown(&self) -> String {
        format!("{}{}", self.rest, self.note)
    }
}

/// What is told at the end of a text. Nothing is, while the cursor is elsewhere.
#[must_use]
pub fn of(state: &State, around: &Around<'_>, text: &str, cursor: usize) -> Option<Hint> {
    if cursor != text.len() || text.is_empty() {
        return None;
    }
    if let Some(line) = text.trim_start().strip_prefix(MARK) {
        return if line.is_empty() || line.contains(char::is_whitespace) {
            None
        } else {
            of_word(state, around, text, line)
        };
    }
    let cursor = Cursor::new(state, text);
    match cursor.place {
        Place::Nowhere | Place::Text(_) | Place::Behind => None,
        _ if cursor.typed.is_empty() => of_call(&cursor, state),
        _ => of_word(state, around, text, cursor.typed),
    }
}

/// The rest of a word that can only go on in one way.
fn of_word(state: &State, around: &Around<'_>, text: &str, typed: &str) -> Option<Hint> {
    let completion = complete::candidates(state, around, text, text.len());
    let [only] = &completion.candidates[..] else {
        return None;
    };
    let rest = only.replacement.strip_prefix(typed)?;
    let mut note = if only.replacement.ends_with('(') {
        rest_of_signature(&only.signature, 0, 0)
    } else {
        String::new()
    };
    if !only.about.is_empty() {
        note.push_str("  ");
        note.push_str(&only.about);
    }
    let hint = Hint {
        rest: rest.to_owned(),
        note,
    };
    (!hint.shown().is_empty()).then_some(hint)
}

/// What the function takes in whose brackets the cursor is, from the argument at the cursor on.
fn of_call(cursor: &Cursor<'_, '_>, state: &State) -> Option<Hint> {
    let code = &cursor.code;
    let end = code.len();
    let open = code.open_at(end)?;
    let last = code.text(end - 1);
    if code.text(open) != "(" || !(last == "(" || last == ",") {
        return None;
    }
    let name = open
        .checked_sub(1)
        .filter(|&name| code.kind(name) == Some(Kind::Call))?;
    let (signature, about, passed) = signature(cursor, state, name)?;
    let given = commas(code, open, end);
    let mut note = rest_of_signature(&signature, passed, given);
    if !about.is_empty() {
        note.push_str("  ");
        note.push_str(&about);
    }
    (!note.is_empty()).then(|| Hint {
        rest: String::new(),
        note,
    })
}

/// How many arguments stand before the cursor.
fn commas(code: &Code<'_>, open: usize, end: usize) -> usize {
    let (mut at, mut count) = (open + 1, 0);
    while at < end {
        at = code.partner(at, end).unwrap_or(at);
        count += usize::from(code.text(at) == ",");
        at += 1;
    }
    count
}

/// The signature of the function that a token calls, what it does, and how many of its parameters stand before the dot.
fn signature(cursor: &Cursor<'_, '_>, state: &State, name: usize) -> Option<(String, String, usize)> {
    let (code, sources) = (&cursor.code, Sources::get());
    let called = code.text(name);
    let of_session = |functions: Vec<complete::Function>| {
        let function = functions.into_iter().find(|function| function.name == called)?;
        Some((function.signature, function.about, 0))
    };
    let before = name.checked_sub(1).map_or("", |before| code.text(before));
    match before {
        "fn" => None,
        "::" => {
            let place = code.text(name.checked_sub(2)?);
            let told = sources.told(&format!("{place}::{called}"));
            let told = told.map(|told| (told.signature.clone(), told.about.clone(), 0));
            told.or_else(|| of_session(complete::functions_of(state, place)))
        }
        "." | "?." => {
            let kind = cursor.type_before(sources, name - 1);
            let members = sources.method(kind, called);
            // Rhai's own are told with the value that stands before the dot.
            members.map(|told| {
                (
                    told.signature.clone(),
                    told.about.clone(),
                    usize::from(!told.signature.contains('.')),
                )
            })
        }
        _ => of_session(complete::functions(state)).or_else(|| {
            let told = sources.global(called)?;
            Some((told.signature, told.about, 0))
        }),
    }
}

/// What stands in a signature behind the bracket, but for so many parameters.
fn rest_of_signature(signature: &str, passed: usize, given: usize) -> String {
    let Some((_, taken)) = signature.split_once('(') else {
        return String::new();
    };
    let Some((params, returns)) = taken
        .rsplit_once(") -> ")
        .or_else(|| Some((taken.strip_suffix(')')?, "")))
    else {
        return String::new();
    };
    let left: Vec<_> = params.split(", ").skip(passed + given).collect();
    let returns = if returns.is_empty() {
        String::new()
    } else {
        format!(" -> {returns}")
    };
    format!("{}){returns}", left.join(", "))
}
