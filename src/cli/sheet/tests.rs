use serde_json::json;

use super::*;

const FORMATS: [Format; 6] = [
    Format::Table,
    Format::Json,
    Format::Jsonl,
    Format::Csv,
    Format::Yaml,
    Format::Ids,
];

const FIELDS: [&str; 4] = ["id", "username", "admin", "data"];

/// A row of a list, whose name and data are its own.
struct User(&'static str, Value);

impl Row for User {
    fn cell(&self, field: usize, show: &mut dyn FnMut(Cell<'_>)) -> Result<()> {
        show([Cell::Int(7), Cell::Text(self.0), Cell::Bool(true), Cell::Data(&self.1)][field]);
        Ok(())
    }
}

fn alice() -> User {
    User("alice", Value::Null)
}

fn bob() -> User {
    User("b\u{1b}o,b", json!({"a": [1]}))
}

fn sheet(format: Format, fields: &[&str], width: Option<usize>) -> Sheet {
    let fields = fields.iter().map(|&field| field.to_owned()).collect::<Vec<_>>();
    let wish = Wish {
        format,
        fields: Some(fields).filter(|fields| !fields.is_empty()),
    };
    Sheet::new(wish, width)
}

/// The text of the pages, each as it is shown, and of the end.
fn shown(mut sheet: Sheet, pages: &[&[User]]) -> Vec<String> {
    let mut texts = Vec::new();
    let text = |bytes: Vec<u8>| String::from_utf8(bytes).unwrap();
    sheet.start(&FIELDS).unwrap();
    for page in pages {
        for row in *page {
            sheet.row(row).unwrap();
        }
        sheet.settle();
        texts.push(text(sheet.take().unwrap()));
    }
    sheet.finish();
    texts.push(text(sheet.take().unwrap()));
    texts
}

#[test]
fn no_row_is_nothing_but_an_empty_list_to_a_program() {
    for format in FORMATS {
        for width in [None, Some(80)] {
            let empty = if matches!(format, Format::Json | Format::Yaml) {
                "[]\n"
            } else {
                ""
            };
            assert_eq!(shown(sheet(format, &[], width), &[]), [empty], "{format:?}");
        }
    }
}

#[test]
fn each_page_is_shown_as_it_comes_and_all_are_one_list() {
    let pages: [&[User]; 2] = [&[alice(), bob()], &[User("carol-the-third", json!("x"))]];
    let expected: [(Format, [&str; 3]); 6] = [
        (
            Format::Table,
            [
                "id  username    admin  data\n7   alice       true\n7   b\\u{1b}o,b  true   {\"a\":[1]}\n",
                "7   carol-the-third  true   x\n",
                "",
            ],
        ),
        (
            Format::Json,
            [
                "[{\"id\":7,\"username\":\"alice\",\"admin\":true,\"data\":null},\
                 {\"id\":7,\"username\":\"b\\u001bo,b\",\"admin\":true,\"data\":{\"a\":[1]}}",
                ",{\"id\":7,\"username\":\"carol-the-third\",\"admin\":true,\"data\":\"x\"}",
                "]\n",
            ],
        ),
        (
            Format::Jsonl,
            [
                "{\"id\":7,\"username\":\"alice\",\"admin\":true,\"data\":null}\n\
                 {\"id\":7,\"username\":\"b\\u001bo,b\",\"admin\":true,\"data\":{\"a\":[1]}}\n",
                "{\"id\":7,\"username\":\"carol-the-third\",\"admin\":true,\"data\":\"x\"}\n",
                "",
            ],
        ),
        (
            Format::Csv,
            [
                "id,username,admin,data\n7,alice,true,\n7,\"b\u{1b}o,b\",true,\"{\"\"a\"\":[1]}\"\n",
                "7,carol-the-third,true,x\n",
                "",
            ],
        ),
        (
            Format::Yaml,
            [
                "- id: 7\n  username: alice\n  admin: true\n  data: null\n\
                 - id: 7\n  username: \"b\\eo,b\"\n  admin: true\n  data:\n    a:\n    - 1\n",
                "- id: 7\n  username: carol-the-third\n  admin: true\n  data: x\n",
                "",
            ],
        ),
        (Format::Ids, ["alice\nb\u{1b}o,b\n", "carol-the-third\n", ""]),
    ];
    for (format, texts) in expected {
        assert_eq!(shown(sheet(format, &[], None), &pages), texts, "{format:?}");
    }
}

#[test]
fn one_row_is_a_list_too() {
    for (format, text) in [
        (Format::Table, "id  username\n7   alice\n"),
        (Format::Json, "[{\"id\":7,\"username\":\"alice\"}]\n"),
        (Format::Jsonl, "{\"id\":7,\"username\":\"alice\"}\n"),
        (Format::Csv, "id,username\n7,alice\n"),
        (Format::Yaml, "- id: 7\n  username: alice\n"),
        (Format::Ids, "alice\n"),
    ] {
        let texts = shown(sheet(format, &["id", "username"], None), &[&[alice()]]);
        assert_eq!(texts.concat(), text, "{format:?}");
    }
}

#[test]
fn a_terminal_keeps_the_frame_of_the_first_page() {
    let pages: [&[User]; 2] = [&[alice()], &[User("carol", json!("x"))]];
    let texts = shown(sheet(Format::Table, &["username", "data"], Some(40)), &pages);
    let expected = [
        "─────────────────\n username   data\n═════════════════\n alice\n",
        "─────────────────\n carol      x\n",
        "─────────────────\n",
    ];
    assert_eq!(texts, expected);
    let texts = shown(sheet(Format::Table, &["username", "data"], Some(12)), &pages);
    let expected = ["username  alice\ndata\n", "\nusername  carol\ndata      x\n", ""];
    assert_eq!(texts, expected);
}

#[test]
fn fields_are_kept_in_the_order_asked_for() {
    let texts = shown(sheet(Format::Csv, &["username", "id"], None), &[&[alice()]]);
    assert_eq!(texts.concat(), "username,id\nalice,7\n");
}

#[test]
fn a_field_that_there_is_not_is_refused_before_anything_is_shown() {
    for format in FORMATS {
        let mut sheet = sheet(format, &["username", "name"], None);
        let error = sheet.start(&FIELDS).unwrap_err();
        assert_eq!(error.message(), "The result has no field `name`");
        assert_eq!(error.help_text(), Some("The fields are id, username, admin, data."));
        assert_eq!(sheet.take().unwrap(), b"");
    }
}

/// Several runs fill one sheet, also with results that are there as a whole.
#[test]
fn several_runs_make_one_list() {
    for (format, expected) in [
        (Format::Csv, "id,username\n7,alice\n8,bob\n9,carol\n7,alice\n"),
        (
            Format::Table,
            "id  username\n7   alice\n8   bob\n9   carol\n7   alice\n",
        ),
        (
            Format::Json,
            "[{\"id\":7,\"username\":\"alice\"},{\"id\":8,\"username\":\"bob\"},{\"username\":\"carol\",\"id\":9},\
             {\"id\":7,\"username\":\"alice\"}]\n",
        ),
        (Format::Ids, "alice\nbob\ncarol\nalice\n"),
    ] {
        let mut sheet = sheet(format, &[], None);
        let fields = &FIELDS[..2];
        sheet.start(fields).unwrap();
        sheet.row(&alice()).unwrap();
        sheet.add(&json!({"id": 8, "username": "bob"})).unwrap();
        sheet.settle();
        sheet.add(&json!([{"username": "carol", "id": 9}])).unwrap();
        sheet.add(&Value::Null).unwrap();
        sheet.start(fields).unwrap();
        sheet.row(&alice()).unwrap();
        sheet.finish();
        let text = String::from_utf8(sheet.take().unwrap()).unwrap();
        assert_eq!(text, expected, "{format:?}");
    }
}

#[test]
fn rows_without_fields_are_lines() {
    for (format, expected) in [
        (Format::Csv, "a\n\"b,c\"\n1\n"),
        (Format::Table, "a\nb,c\n1\n"),
        (Format::Ids, "a\nb,c\n1\n"),
        (Format::Jsonl, "\"a\"\n\"b,c\"\n1\n"),
        (Format::Yaml, "- a\n- b,c\n- 1\n"),
    ] {
        let mut sheet = sheet(format, &["id"], None);
        sheet.add(&json!(["a", "b,c", 1])).unwrap();
        sheet.finish();
        let text = String::from_utf8(sheet.take().unwrap()).unwrap();
        assert_eq!(text, expected, "{format:?}");
    }
}
