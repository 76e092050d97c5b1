//! The configuration with the place that each value comes from: as YAML with comments for people, as rows for programs.

use serde_json::{Value, json};

use super::terminal::{one_line, printable};
use crate::{
    config::Traced,
    error::{Code, Error, Result},
};

/// The column that comments start at, if what is before them is not longer.
const COMMENT_COLUMN: usize = 40;

/// A line of YAML without its indentation, and the comment that belongs behind it.
struct Line {
    text: String,
    comment: Option<String>,
}

/// The configuration as YAML, each value with its place in a comment behind it.
pub(super) fn yaml(traced: &Traced) -> Result<String> {
    let lines = lines(traced)?;
    let commented = lines.iter().filter(|line| line.comment.is_some());
    let widths = commented.map(|line| line.text.chars().count());
    let column = widths
        .filter(|width| *width < COMMENT_COLUMN - 1)
        .max()
        .unwrap_or_default()
        + 2;
    let line = |Line { text, comment }: &Line| match comment {
        Some(comment) => {
            let gap = column.saturating_sub(text.chars().count()).max(2);
            format!("{text}{:gap$}# {comment}\n", "")
        }
        None => format!("{text}\n"),
    };
    Ok(lines.iter().map(line).collect())
}

fn lines(traced: &Traced) -> Result<Vec<Line>> {
    Ok(match traced {
        Traced::Value { value, origin } => value_lines(value, origin)?,
        Traced::List(items) => {
            let mut all = Vec::new();
            for item in items {
                let inner = lines(item)?.into_iter().enumerate();
                all.extend(inner.map(|(index, line)| indented(if index == 0 { "- " } else { "  " }, line)));
            }
            all
        }
        Traced::Map(entries) => {
            let mut all = Vec::new();
            for (key, inner) in entries {
                all.extend(entry(&scalar(&Value::from(key.as_str()))?, inner)?);
            }
            all
        }
    })
}

/// A key with what is under it. A list is not indented further, as everywhere in masctl's YAML.
fn entry(key: &str, inner: &Traced) -> Result<Vec<Line>> {
    let mut all = Vec::new();
    let mut inner_lines = lines(inner)?.into_iter();
    match inner {
        Traced::Value { .. } => {
            all.extend(inner_lines.next().map(|line| indented(&format!("{key}: "), line)));
            all.extend(inner_lines);
        }
        Traced::List(_) | Traced::Map(_) => {
            let indent = if matches!(inner, Traced::Map(_)) { "  " } else { "" };
            all.push(Line {
                text: format!("{key}:"),
                comment: None,
            });
            all.extend(inner_lines.map(|line| indented(indent, line)));
        }
    }
    Ok(all)
}

fn indented(before: &str, line: Line) -> Line {
    Line {
        text: format!("{before}{}", line.text),
        ..line
    }
}

/// A value: one line, or a block whose first line only says how to read it.
fn value_lines(value: &Value, origin: &str) -> Result<Vec<Line>> {
    let text = rendered(value)?;
    // A block that says by how much it is indented cannot be moved: its text begins with a space.
    let fixed = text
        .strip_prefix('|')
        .is_some_and(|rest| rest.starts_with(|c: char| c.is_ascii_digit()));
    let text = if fixed { value.to_string() } else { text };
    let line = |(index, text): (usize, &str)| Line {
        text: text.to_owned(),
        comment: (index == 0 && !origin.is_empty()).then(|| printable(&one_line(origin))),
    };
    Ok(text.lines().enumerate().map(line).collect())
}

/// A text as a key, which has to fit a line.
fn scalar(value: &Value) -> Result<String> {
    let text = rendered(value)?;
    Ok(if text.contains('\n') { value.to_string() } else { text })
}

fn rendered(value: &Value) -> Result<String> {
    let text = serde_yaml::to_string(value)
        .map_err(|error| Error::new(Code::Bug, format!("The configuration cannot be printed: {error}")))?;
    Ok(text.trim_end_matches('\n').to_owned())
}

/// The configuration as rows of `key`, `value` and `origin`.
pub(super) fn rows(traced: &Traced) -> Value {
    let mut rows = Vec::new();
    collect(traced, "", &mut rows);
    rows.into()
}

fn collect(traced: &Traced, path: &str, rows: &mut Vec<Value>) {
    match traced {
        Traced::Value { value, origin } => rows.push(json!({ "key": path, "value": value, "origin": origin })),
        Traced::List(items) => {
            for (index, item) in items.iter().enumerate() {
                collect(item, &format!("{path}[{index}]"), rows);
            }
        }
        Traced::Map(entries) => {
            for (key, inner) in entries {
                let separator = if path.is_empty() { "" } else { "." };
                collect(inner, &format!("{path}{separator}{key}"), rows);
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn traced(value: &Value) -> Traced {
        match value {
            Value::Array(items) if !items.is_empty() => Traced::List(items.iter().map(traced).collect()),
            Value::Object(entries) if !entries.is_empty() => Traced::Map(
                entries
                    .iter()
                    .map(|(key, inner)| (key.clone(), traced(inner)))
                    .collect(),
            ),
            value => Traced::Value {
                value: value.clone(),
                origin: "f:1:2".to_owned(),
            },
        }
    }

    #[test]
    fn every_value_has_its_comment_and_the_yaml_means_the_same() {
        let value = json!({
            "a": { "b": 1, "c": [], "d": {}, "a: #": null, "yes": "yes", "e\nf": "x" },
            "g": [[1, [2, "# x"]], { "h": "two\nlines", "i": [{ "j": true }] }, " a\n b\n", "\u{1b}[1m"],
            "long": "x".repeat(60),
        });
        let text = yaml(&traced(&value)).unwrap();
        assert_eq!(serde_yaml::from_str::<Value>(&text).unwrap(), value, "{text}");
        let expected = r#"a:
  b: 1          # f:1:2
  c: []         # f:1:2
  d: {}         # f:1:2
  'a: #': null  # f:1:2
  yes: yes      # f:1:2
  "e\nf": x     # f:1:2
g:
- - 1           # f:1:2
  - - 2         # f:1:2
    - '# x'     # f:1:2
- h: |-         # f:1:2
    two
    lines
  i:
  - j: true     # f:1:2
- " a\n b\n"    # f:1:2
- "\e[1m"       # f:1:2
long: xxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxx  # f:1:2
"#;
        assert_eq!(text, expected);
    }

    #[test]
    fn rows_name_each_value_by_its_path() {
        let rows = rows(&traced(&json!({ "a": { "b": [1, { "c": "x" }] }, "d": [] })));
        let expected = json!([
            { "key": "a.b[0]", "value": 1, "origin": "f:1:2" },
            { "key": "a.b[1].c", "value": "x", "origin": "f:1:2" },
            { "key": "d", "value": [], "origin": "f:1:2" },
        ]);
        assert_eq!(rows, expected);
    }
}
