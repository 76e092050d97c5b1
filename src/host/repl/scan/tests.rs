use rand::{RngExt, SeedableRng, rngs::SmallRng};

use super::*;

fn shown(text: &str) -> String {
    let tokens = scan(text).tokens.into_iter().filter(|token| token.kind != Kind::Space);
    let words: Vec<_> = tokens
        .map(|token| format!("{:?} {}", token.kind, token.text(text)))
        .collect();
    words.join(" | ")
}

#[test]
fn code() {
    assert_eq!(
        shown("let n = users::list(#{}).len () + x?[1]; // end"),
        "Keyword let | Name n | Operator = | Namespace users | Operator :: | Call list | Open ( | Open #{ | Close } | \
         Close ) | Operator . | Call len | Open ( | Close ) | Operator + | Name x | Open ?[ | Number 1 | Close ] | \
         Operator ; | Comment // end"
    );
    assert_eq!(
        shown("if this !in a { default } ) 1..=2 é"),
        "Keyword if | Keyword this | Operator !in | Name a | Open { | Reserved default | Close } | Unknown ) | \
         Number 1 | Operator ..= | Number 2 | Name é"
    );
}

#[test]
fn numbers() {
    for number in ["0", "1_000", "1.5", "1.5e-3", "1e5", "0xFf_0", "0o17", "0b101", "7_"] {
        assert_eq!(shown(number), format!("Number {number}"));
    }
    assert_eq!(shown("1.foo"), "Number 1 | Operator . | Name foo");
    assert_eq!(shown("1..3"), "Number 1 | Operator .. | Number 3");
    assert_eq!(shown("1. + 2"), "Number 1. | Operator + | Number 2");
    assert_eq!(shown("1e"), "Number 1 | Name e");
}

#[test]
fn strings_and_comments() {
    for text in [
        r#""""#,
        r#""a\"b""#,
        r#""a""b""#,
        "\"a\\\nb\"",
        "\"a\\\r\nb\"",
        "`a\nb``c\\`",
        "`a\\${b`",
        "#\"a\"b\"#",
        "##\"a\"#\"##",
    ] {
        assert_eq!(shown(text), format!("Text {text}"));
        assert_eq!(scan(text).open, [], "{text}");
    }
    assert_eq!(shown("'\\''"), "Char '\\''");
    assert_eq!(
        shown("`a${b + `c${d}`}e` f"),
        "Text `a | Open ${ | Name b | Operator + | Text `c | Open ${ | Name d | Close } | Text ` | Close } | Text e` | Name f"
    );
    assert_eq!(
        shown("`${a}${b}`"),
        "Text ` | Open ${ | Name a | Close } | Open ${ | Name b | Close } | Text `"
    );
    assert_eq!(shown("\"a\nb"), "Text \"a | Name b");
    for text in ["/* a /* b */ c */", "/***/", "// a", "//// a"] {
        assert_eq!(shown(text), format!("Comment {text}"));
    }
    for text in ["/** a */", "/// a", "//! a", "/**/"] {
        assert_eq!(shown(text), format!("Doc {text}"));
    }
}

#[test]
fn what_is_open_is_closed() {
    for (text, closing) in [
        ("f(#{a: [1, {", "}]})"),
        ("`a", "`"),
        ("`a${", "}`"),
        ("`a${f(`b${c", "}`)}`"),
        ("\"a", "\""),
        ("\"a\\", "\"\""),
        ("'", "'"),
        ("##\"a\"#", "\"##"),
        ("/* a /* b", " */*/"),
        ("/**/", " */"),
        ("/*", " */"),
        ("( // a", "\n)"),
        ("a)", ""),
    ] {
        assert_eq!(scan(text).closing(), closing, "{text}");
    }
    assert_eq!(scan("f(").inside(), None);
    let at = |text: &str| scan(text).inside().map(|opened| opened.at);
    assert_eq!((at("f(\"a"), at("f(`a${"), at("f(`a${b}c")), (Some(2), None, Some(2)));
}

#[test]
fn brackets_have_partners() {
    let text = "f([a], `${b}`)";
    let scan = scan(text);
    let partner = |at: usize| scan.partner(at).map(|token| token.start);
    assert_eq!(
        (partner(1), partner(2), partner(13), partner(4)),
        (Some(13), Some(4), Some(1), Some(2))
    );
    assert_eq!((partner(8), partner(11), partner(0)), (Some(11), Some(8), None));
    assert_eq!(scan.token_at(3).map(|token| token.text(text)), Some("a"));
    assert_eq!(scan.token_at(14), None);
}

#[test]
fn tokens_cover_every_text() {
    const PIECES: [&str; 44] = [
        "`",
        "\"",
        "'",
        "#",
        "\\",
        "$",
        "{",
        "}",
        "(",
        ")",
        "[",
        "]",
        "?",
        "/",
        "*",
        "!",
        "\n",
        "\r",
        " ",
        "\t",
        "a",
        "_",
        "0",
        "x",
        "e",
        ".",
        "=",
        "|",
        "é",
        "\u{301}",
        "\u{1f600}",
        "\u{1b}",
        "let",
        "in",
        "::",
        "<",
        ">",
        "-",
        "+",
        "&",
        ";",
        "\u{a0}",
        "`${",
        "#{",
    ];
    let mut random = SmallRng::seed_from_u64(5);
    for _ in 0..20_000 {
        let length = random.random_range(0..40);
        let text: String = (0..length)
            .map(|_| PIECES[random.random_range(0..PIECES.len())])
            .collect();
        crate::host::invariants::of_scan(&text);
    }
}
