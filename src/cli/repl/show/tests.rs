use serde_json::json;

use super::*;

/// What stdout and stderr get of a value.
fn page(shown: &Shown, style: Style, width: Option<usize>) -> (String, String) {
    let page = Page::new(shown, style, Screen { width, color: false }).unwrap();
    (page.data, page.messages)
}

/// What a terminal of this width shows.
fn on(width: usize, value: Value) -> String {
    page(&value.into(), Style::default(), Some(width)).0
}

fn piped_text(value: Value) -> String {
    page(&value.into(), Style::default(), None).0
}

const EXPANDED: Style = Style {
    expanded: Expanded::On,
    format: Format::Table,
};

const JSON: Style = Style {
    expanded: Expanded::Auto,
    format: Format::Json,
};

fn users() -> Value {
    json!([
        {"id": "01HV00000000000000000000A1", "username": "alice", "locked_at": null, "admin": true},
        {"id": "01HV00000000000000000000B0", "username": "bob", "locked_at": "2024-05-01T12:00:00Z", "admin": false},
    ])
}

#[test]
fn rows_are_a_table_where_they_fit() {
    let table = "\
id                          username  locked_at             admin
──────────────────────────  ────────  ────────────────────  ─────
01HV00000000000000000000A1  alice                           true
01HV00000000000000000000B0  bob       2024-05-01T12:00:00Z  false
";
    assert_eq!(on(80, users()), table);
    assert_eq!(on(65, users()), table);
    let below = "\
id         01HV00000000000000000000A1
username   alice
locked_at
admin      true

id         01HV00000000000000000000B0
username   bob
locked_at  2024-05-01T12:00:00Z
admin      false
";
    for width in [64, 40, 10] {
        assert_eq!(on(width, users()), below);
    }
    assert_eq!(page(&users().into(), EXPANDED, Some(80)).0, below);
    assert_eq!(page(&users().into(), EXPANDED, None).0, below);
}

#[test]
fn columns_that_are_empty_are_left_out_where_the_table_would_not_fit() {
    let value = json!([{"id": 1, "locked_at": null, "name": "a"}, {"id": 2, "name": "b"}]);
    let whole = "id  locked_at  name\n──  ─────────  ────\n1              a\n2              b\n";
    assert_eq!(on(19, value.clone()), whole);
    let short = "id  name\n──  ────\n1   a\n2   b\nEmpty in all rows: locked_at\n";
    assert_eq!(on(18, value.clone()), short);
    assert_eq!(on(8, value.clone()), short);
    assert_eq!(
        on(7, value),
        "id         1\nlocked_at\nname       a\n\nid    2\nname  b\n"
    );
    let nothing = json!([{"locked_at": null}, {"locked_at": null}]);
    assert_eq!(on(5, nothing), "locked_at\n\nlocked_at\n");
}

#[test]
fn a_pipe_gets_plain_columns() {
    assert_eq!(
        piped_text(json!([{"id": 1, "name": "a"}, {"id": 2, "name": null}])),
        "id  name\n1   a\n2\n"
    );
}

#[test]
fn records_are_two_columns() {
    let record = json!({
        "username": "alice",
        "locked_at": null,
        "emails": [{"email": "a@example.com", "created_at": "2024-05-01T12:00:00Z"}],
        "sessions": {"browser": 1},
    });
    let wide = "\
username   alice
locked_at
emails     email          created_at
           a@example.com  2024-05-01T12:00:00Z
sessions   browser  1
";
    assert_eq!(on(80, record.clone()), wide);
    assert_eq!(piped_text(record.clone()), wide);
    let narrow = "\
username   alice
locked_at
emails     email       a@example.com
           created_at  2024-05-01T12:00:00Z
sessions   browser  1
";
    assert_eq!(on(40, record.clone()), narrow);
    assert_eq!(on(10, record), narrow);
}

#[test]
fn scalars_are_a_line() {
    for (value, text) in [
        (json!(true), "true\n"),
        (json!(-42), "-42\n"),
        (json!(1.5), "1.5\n"),
        (json!("a b\nc"), "a b\nc\n"),
        (json!(""), "\n"),
        (json!("<closure>"), "<closure>\n"),
    ] {
        for width in [80, 40, 10] {
            assert_eq!(on(width, value.clone()), text);
        }
        assert_eq!(piped_text(value), text);
    }
}

#[test]
fn lists_of_other_things_are_a_line_each() {
    let list = json!(["a", 1, null, ["b", 2], {"c": 3}, "d\ne"]);
    for width in [80, 40, 10] {
        assert_eq!(on(width, list.clone()), "a\n1\n\n[\"b\",2]\n{\"c\":3}\nd\\ne\n");
    }
    assert_eq!(on(80, json!([{}, {}])), "{}\n{}\n");
    assert_eq!(piped_text(json!(["a", "b"])), "a\nb\n");
}

#[test]
fn nothing_is_nothing_and_an_empty_list_says_so_on_a_terminal() {
    for style in [Style::default(), EXPANDED, JSON] {
        for width in [Some(80), None] {
            assert_eq!(page(&Value::Null.into(), style, width).0, "");
        }
    }
    for style in [Style::default(), EXPANDED] {
        assert_eq!(page(&json!([]).into(), style, Some(80)).0, "no rows\n");
        assert_eq!(page(&json!({}).into(), style, Some(80)).0, "no fields\n");
        assert_eq!(page(&json!([]).into(), style, None), (String::new(), String::new()));
        assert_eq!(page(&json!({}).into(), style, None), (String::new(), String::new()));
    }
    for width in [Some(80), None] {
        assert_eq!(page(&json!([]).into(), JSON, width).0, "[]\n");
        assert_eq!(page(&json!({}).into(), JSON, width).0, "{}\n");
    }
}

#[test]
fn what_was_cut_is_said_below_on_a_terminal_and_on_stderr_elsewhere() {
    let shown = Shown::example(
        json!([{"id": 1}]),
        None,
        &["1 of 1234 rows", "1 of 2 items of `a\u{1b}\nb`"],
    );
    let notes = "1 of 1234 rows\n1 of 2 items of `a\\u{1b}\\nb`\n";
    for style in [Style::default(), EXPANDED, JSON] {
        let (data, messages) = page(&shown, style, Some(80));
        assert!(data.ends_with(&format!("\n{notes}")), "{data}");
        assert_eq!(messages, "");
        let (data, messages) = page(&shown, style, None);
        assert!(!data.contains("1234"), "{data}");
        assert_eq!(messages, notes);
    }
}

#[test]
fn json_is_for_people_on_a_terminal_and_one_line_elsewhere() {
    let value = json!([{"id": 1, "text": "a\n\u{1b}\u{9b}\u{202e}"}]);
    let (pretty, _) = page(&value.clone().into(), JSON, Some(10));
    assert_eq!(
        pretty,
        "[\n  {\n    \"id\": 1,\n    \"text\": \"a\\n\\u001b\\u009b\\u202e\"\n  }\n]\n"
    );
    let (line, _) = page(&value.clone().into(), JSON, None);
    assert_eq!(line, "[{\"id\":1,\"text\":\"a\\n\\u001b\\u009b\\u202e\"}]\n");
    for text in [pretty, line] {
        assert_eq!(serde_json::from_str::<Value>(&text).unwrap(), value);
    }
    assert_eq!(page(&json!("a").into(), JSON, None).0, "\"a\"\n");
}

#[test]
fn a_secret_is_a_field_on_a_terminal_and_alone_elsewhere() {
    let value = json!({"token": "mct_x", "id": "01"});
    let shown = Shown::example(value, Some("mct_x"), &[]);
    assert_eq!(page(&shown, Style::default(), Some(80)).0, "token  mct_x\nid     01\n");
    assert_eq!(page(&shown, Style::default(), None).0, "mct_x\n");
    assert_eq!(page(&shown, JSON, None).0, "{\"token\":\"mct_x\",\"id\":\"01\"}\n");
}

#[test]
fn no_value_steers_the_terminal() {
    let evil = "a\u{1b}[2Jb\r\u{9b}\u{202e}";
    for value in [
        json!(evil),
        json!([evil]),
        json!({ evil: evil }),
        json!([{ evil: evil }]),
        json!([[evil]]),
        json!({"a": {evil: [evil]}, "b": [{evil: evil}]}),
    ] {
        for style in [Style::default(), EXPANDED, JSON] {
            for width in [Some(80), Some(10), None] {
                let (data, _) = page(&value.clone().into(), style, width);
                let steers = |character: char| character.is_control() && character != '\n' || character == '\u{202e}';
                assert!(!data.chars().any(steers), "{data:?}");
            }
        }
    }
}

#[test]
fn names_of_fields_and_notes_are_dim_where_there_are_colors() {
    let colored = |value: Value, style, width| {
        let shown = Shown::example(value, None, &["1 of 2 rows"]);
        Page::new(
            &shown,
            style,
            Screen {
                width: Some(width),
                color: true,
            },
        )
        .unwrap()
        .data
    };
    let row = json!([{"id": 1, "name": "a"}]);
    assert_eq!(
        colored(row.clone(), Style::default(), 80),
        "\u{1b}[2mid\u{1b}[0m  \u{1b}[2mname\u{1b}[0m\n\u{1b}[2m──\u{1b}[0m  \u{1b}[2m────\u{1b}[0m\n1   a\n\u{1b}[2m1 of 2 rows\u{1b}[0m\n"
    );
    assert_eq!(
        colored(row, EXPANDED, 80),
        "\u{1b}[2mid\u{1b}[0m    1\n\u{1b}[2mname\u{1b}[0m  a\n\u{1b}[2m1 of 2 rows\u{1b}[0m\n"
    );
    // Colors take no room.
    let nested = json!({"emails": [{"email": "a@b.c", "at": "2020"}]});
    assert_eq!(
        colored(nested, Style::default(), 19),
        "\u{1b}[2memails\u{1b}[0m  \u{1b}[2memail\u{1b}[0m  \u{1b}[2mat\u{1b}[0m\n        a@b.c  2020\n\u{1b}[2m1 of 2 rows\u{1b}[0m\n"
    );
}

#[test]
fn wide_letters_take_the_room_they_have() {
    let value = json!([{"name": "日本", "n": 1}, {"name": "a", "n": 2}]);
    assert_eq!(on(7, value.clone()), "name  n\n────  ─\n日本  1\na     2\n");
    assert_eq!(on(6, value), "name  日本\nn     1\n\nname  a\nn     2\n");
}
