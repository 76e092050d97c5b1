//! Files as scripts read them, and those that they may not.

use std::fs;

use masctl::error::{Code, Error};
use serde_json::{Value, json};

use crate::support::{sandbox::Sandbox, scripted::Stage, store::Store};

/// A folder with these files that scripts may read, and a store.
struct Scene {
    stage: Stage,
    folder: Sandbox,
}

impl Scene {
    fn new(files: &[(&str, &[u8])]) -> Self {
        let folder = Sandbox::new();
        for (name, bytes) in files {
            fs::write(folder.path().join(name), bytes).expect("the folder is there");
        }
        let stage = Stage::open(Store::Sqlite, "files", "");
        Self { stage, folder }
    }

    /// What an expression comes to, in which `@` at the start of a path is the folder.
    fn eval(&self, expression: &str) -> Result<Value, Error> {
        let folder = self.folder.path().display().to_string();
        let body = expression.replace("(\"@", &format!("(\"{folder}"));
        let need = format!("files:read:{folder}");
        let outcome = self.stage.run(&["users:write", &need], &[], &body)?;
        outcome.report.failure.map_or(Ok(outcome.result), Err)
    }

    /// The code and the message of the error that it ends in, without the folder.
    fn fail(&self, expression: &str) -> (Code, String) {
        let error = self.eval(expression).expect_err(expression);
        let folder = self.folder.path().display().to_string();
        (error.code(), error.message().replace(&folder, ""))
    }
}

#[test]
fn files_are_text_lines_tables_and_json() {
    let scene = Scene::new(&[
        ("text", "\u{feff}é\r\nb\n\n".as_bytes()),
        ("empty", b""),
        ("table.csv", b"\xef\xbb\xbfusername,\"full name\"\r\nalice,\"A, B\"\r\n"),
        (
            "data.json",
            br#"{"a": [1, -2.5, null, true, "x"], "big": 18446744073709551615, "b": {}}"#,
        ),
    ]);
    for (expression, expected) in [
        (r#"files::text("@/text")"#, json!("é\r\nb\n\n")),
        (r#"files::text("@/empty")"#, json!("")),
        (r#"files::lines("@/text")"#, json!(["é", "b", ""])),
        (r#"files::lines("@/empty")"#, json!([])),
        (
            r#"files::csv("@/table.csv")"#,
            json!([{"full name": "A, B", "username": "alice"}]),
        ),
        (r#"files::json("@/data.json").a"#, json!([1, -2.5, null, true, "x"])),
        (r#"files::json("@/data.json").b"#, json!({})),
    ] {
        assert_eq!(scene.eval(expression).expect(expression), expected, "{expression}");
    }
    // What was read is there after a change too: a file on the disk keeps nobody waiting.
    let after = r#"users::get("alice").lock(); files::text("@/empty")"#;
    assert_eq!(scene.eval(after).expect("it is read"), json!(""));
}

#[test]
fn what_cannot_be_used_is_said_with_its_line() {
    let scene = Scene::new(&[
        ("latin", b"a\nb\xe9\n"),
        ("huge", &vec![b'x'; (16 << 20) + 1]),
        ("most", &vec![b'x'; 16 << 20]),
        ("ragged.csv", b"a,b\n1,2\n3\n"),
        ("bad.json", b"{\n  \"a\": }\n"),
        ("deep.json", "[".repeat(10_000).as_bytes()),
        (
            "wide.json",
            format!("[{}{{}}]", r#"{"a":0},"#.repeat(1_000_001)).as_bytes(),
        ),
    ]);
    assert!(scene.eval(r#"files::text("@/most").len()"#).is_ok());
    for (expression, code, message) in [
        (
            r#"files::text("@/latin")"#,
            Code::ValueInvalid,
            "The file `/latin` is not UTF-8 in line 2",
        ),
        (
            r#"files::lines("@/huge")"#,
            Code::ValueInvalid,
            "The file `/huge` is larger than 16 MiB",
        ),
        (
            r#"files::csv("@/ragged.csv")"#,
            Code::ValueInvalid,
            "The file `/ragged.csv` has 1 cell, but 2 headings, in line 3",
        ),
        (
            r#"files::json("@/bad.json")"#,
            Code::ValueInvalid,
            "The file `/bad.json` is no JSON: expected value at line 2 column 8",
        ),
        (
            r#"files::json("@/deep.json")"#,
            Code::ValueInvalid,
            "The file `/deep.json` is no JSON: recursion limit exceeded at line 1 column 128",
        ),
        (
            r#"files::json("@/wide.json")"#,
            Code::ValueInvalid,
            "The file `/wide.json` has more than 1000000 values",
        ),
        (
            r#"files::text("@/nowhere")"#,
            Code::FileUnreadable,
            "The file `/nowhere` cannot be read: No such file or directory (os error 2)",
        ),
    ] {
        assert_eq!(scene.fail(expression), (code, message.to_owned()), "{expression}");
    }
    let caught = r#"let code = ""; try { files::text("@/latin"); } catch (e) { code = error_code(e); } code"#;
    assert_eq!(scene.eval(caught).expect("it is caught"), json!("value.invalid"));
}

#[test]
fn a_script_cannot_catch_that_it_may_not_read_and_learns_nothing() {
    let scene = Scene::new(&[("a", b"")]);
    let denied = |path: &str| {
        let caught = format!(r#"users::get("alice").lock(); try {{ files::text("" + "{path}"); }} catch (e) {{ }}"#);
        scene.eval(&caught).expect_err("it is denied")
    };
    let [there, not_there] = ["/etc/passwd", "/etc/nowhere"].map(denied);
    for (error, path) in [(&there, "/etc/passwd"), (&not_there, "/etc/nowhere")] {
        assert_eq!(error.code(), Code::CapabilityDenied);
        assert_eq!(
            error.message(),
            format!("The script may not read `{path}`: it lacks `files:read` of that")
        );
        let help = format!(
            "It may read `{}`. Add `files:read:{path}` to `needs` in the script's header.",
            scene.folder.path().display()
        );
        assert_eq!(error.help_text(), Some(help.as_str()));
        // Nothing may catch it, and still it says where it was.
        assert_eq!(error.excerpts()[0].line_and_column().0, 5);
    }
    let locked = scene
        .stage
        .rows("SELECT count(*) FROM users WHERE username = 'alice' AND locked_at IS NOT NULL");
    assert_eq!(locked, ["0"]);
}
