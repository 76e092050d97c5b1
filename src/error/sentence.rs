//! What many sentences say alike: names that are listed, things that are counted, texts that are too long.

use std::borrow::Cow;

/// The one of the known names that somebody most likely meant by a wrong one.
#[must_use]
pub fn nearest<'a>(wrong: &str, known: &[&'a str]) -> Option<&'a str> {
    // The longest known name has a few dozen letters; comparing a huge one would only cost time.
    if wrong.len() > 64 {
        return None;
    }
    let near = known.iter().map(|known| (strsim::osa_distance(wrong, known), *known));
    let (distance, nearest) = near.min_by_key(|(distance, _)| *distance)?;
    (distance <= 1 + nearest.len() / 4).then_some(nearest)
}

/// Names as a sentence has them: `a`, `a and b`, `a, b and c`.
#[must_use]
pub fn listed(names: &[impl AsRef<str>]) -> String {
    joined(names, " and ")
}

/// Names of which one is meant: `a`, `a or b`, `a, b or c`.
#[must_use]
pub fn one_of(names: &[impl AsRef<str>]) -> String {
    joined(names, " or ")
}

fn joined(names: &[impl AsRef<str>], before_last: &str) -> String {
    let mut text = String::new();
    for (index, name) in names.iter().enumerate() {
        text += match index {
            0 => "",
            _ if index + 1 == names.len() => before_last,
            _ => ", ",
        };
        text += name.as_ref();
    }
    text
}

/// `1 user`, `2 users`.
#[must_use]
pub fn counted(count: u64, noun: &str) -> String {
    format!("{count} {noun}{}", if count == 1 { "" } else { "s" })
}

/// The text of a stranger, short enough for a message: so many characters at most, and `…` for the others.
#[must_use]
pub fn shortened(text: &str, most: usize) -> Cow<'_, str> {
    match text.char_indices().nth(most) {
        None => text.into(),
        Some((end, _)) => format!("{}…", &text[..end]).into(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_are_listed_as_a_sentence_has_them() {
        let names = ["a", "b", "c"];
        let lists = [0, 1, 2, 3].map(|count| listed(&names[..count]));
        assert_eq!(lists, ["", "a", "a and b", "a, b and c"]);
        let choices = [0, 1, 2, 3].map(|count| one_of(&names[..count]));
        assert_eq!(choices, ["", "a", "a or b", "a, b or c"]);
    }

    #[test]
    fn one_thing_is_no_plural() {
        assert_eq!(
            [0, 1, 2].map(|count| counted(count, "user")),
            ["0 users", "1 user", "2 users"]
        );
    }

    #[test]
    fn a_long_text_is_cut_between_characters() {
        assert_eq!(shortened("ñandú", 5), "ñandú");
        assert_eq!(shortened("ñandú", 1), "ñ…");
    }
}
