//! Where the header is in a script: its lines, its prose, its YAML, and the way back from YAML to the script.

use std::ops::Range;

use crate::error::{Code, Error, Excerpt, Result};

/// How long a header may be, in bytes.
const MAX_BYTES: usize = 64 * 1024;

/// The line around the YAML.
const FENCE: &str = "---";

/// The lines of a header, and the script that they are from.
pub(super) struct Lines<'a> {
    name: &'a str,
    source: &'a str,
    prose: Vec<Line<'a>>,
    yaml: Option<Vec<Line<'a>>>,
}

/// One header line, without its `//!`.
#[derive(Clone, Copy)]
struct Line<'a> {
    /// Where its text starts in the script.
    start: usize,
    text: &'a str,
}

impl Line<'_> {
    fn span(&self) -> Range<usize> {
        self.start..self.start + self.text.len()
    }

    fn is_fence(&self) -> bool {
        self.text.trim_end() == FENCE
    }

    /// Whether it is meant to be a fence, which would leave the parameters to the prose in silence.
    fn is_nearly_fence(&self) -> bool {
        let text = self.text.trim();
        let is_line = |sign: char| text.chars().all(|c| c == sign) && text.chars().count() >= 2;
        !self.is_fence() && (is_line('-') || is_line('–') || text == "—")
    }
}

impl<'a> Lines<'a> {
    /// Finds the header of a script.
    pub(super) fn split(name: &'a str, source: &'a str) -> Result<Self> {
        let mut found = Self {
            name,
            source,
            prose: Vec::new(),
            yaml: None,
        };
        let mut lines = found.run()?;
        for line in &lines {
            found.refuse_invisible(line)?;
        }
        if let Some(line) = lines.iter().find(|line| line.is_nearly_fence()) {
            let help = "the line between prose and parameters has three hyphens; a rule in the prose has other signs";
            return Err(found.refuse(line.span(), "this line is nearly `---`", help));
        }
        if let Some(fence) = lines.iter().position(Line::is_fence) {
            let mut yaml = lines.split_off(fence);
            yaml.remove(0);
            if let Some(end) = yaml.iter().position(Line::is_fence) {
                let rest = yaml.split_off(end);
                if let Some(text) = rest[1..].iter().find(|line| !line.text.trim().is_empty()) {
                    let help = "prose stands before the first `---`, and nothing after the second";
                    return Err(found.refuse(text.span(), "text after the header's second `---`", help));
                }
            }
            found.yaml = Some(yaml);
        }
        found.prose = lines;
        Ok(found)
    }

    /// The leading run of `//!` lines, after an optional `#!` line.
    fn run(&self) -> Result<Vec<Line<'a>>> {
        let mut end = 0;
        let mut rows = self
            .source
            .split_inclusive('\n')
            .map(|row| {
                let start = end;
                end += row.len();
                (start, row.trim_end_matches(['\n', '\r']))
            })
            .peekable();
        rows.next_if(|(_, row)| row.starts_with("#!"));
        let first = rows.peek().map_or(0, |(start, _)| *start);
        let mut lines = Vec::new();
        while let Some((start, row)) = rows.next_if(|(_, row)| row.starts_with("//!")) {
            if start + row.len() - first > MAX_BYTES {
                let help = "keep long explanations outside of the script";
                return Err(self.refuse(start..start + 3, "the header is longer than 64 KiB", help));
            }
            let text = &row[3..];
            let text = text.strip_prefix(' ').unwrap_or(text);
            lines.push(Line {
                start: start + row.len() - text.len(),
                text,
            });
        }
        // A blank line or a comment too much must not hide the parameters in silence.
        let next = rows.find(|(_, row)| !row.trim().is_empty());
        if let Some((start, _)) = next.filter(|(_, row)| row.starts_with("//!")) {
            let help = "a header is one run of `//!` lines from the first line of the script, without blank lines";
            return Err(self.refuse(start..start + 3, "this `//!` line is outside of the header", help));
        }
        Ok(lines)
    }

    /// The first line of the prose, and the rest of it.
    pub(super) fn prose(&self) -> (String, String) {
        let mut lines = self.prose.iter().map(|line| line.text.trim_end());
        let about = lines.find(|line| !line.is_empty()).unwrap_or_default().trim();
        let details: Vec<&str> = lines.skip_while(|line| line.is_empty()).collect();
        (about.to_owned(), details.join("\n").trim_end().to_owned())
    }

    /// The text of the YAML. None if there is no `---`.
    pub(super) fn yaml(&self) -> Option<String> {
        let lines = self.yaml.as_ref()?;
        Some(lines.iter().flat_map(|line| [line.text, "\n"]).collect())
    }

    /// The error for what the YAML parser refuses.
    pub(super) fn syntax_error(&self, problem: &super::yaml::Problem) -> Error {
        self.error(problem.place, &problem.message, problem.help.clone())
    }

    /// An error at a line and a column of the YAML, both from 0, the column in characters.
    pub(super) fn error(&self, (row, column): (usize, usize), message: &str, help: Option<String>) -> Error {
        let span = match self.yaml.as_deref().unwrap_or_default() {
            [] => 0..0,
            lines => {
                let line = &lines[row.min(lines.len() - 1)];
                let column = if row < lines.len() { column } else { usize::MAX };
                let before: usize = line.text.chars().take(column).map(char::len_utf8).sum();
                let start = line.start + before;
                start..start + token_length(&line.text[before..])
            }
        };
        let error = Error::new(Code::HeaderInvalid, capitalized(message));
        let error = error.at(Excerpt::new(self.name, self.source, span));
        match help {
            Some(help) => error.help(sentence(&help)),
            None => error,
        }
    }

    fn refuse(&self, span: Range<usize>, message: &str, help: &str) -> Error {
        Error::new(Code::HeaderInvalid, capitalized(message))
            .help(sentence(help))
            .at(Excerpt::new(self.name, self.source, span))
    }

    /// A header is printed: it must not be able to move the cursor or to hide what it says.
    fn refuse_invisible(&self, line: &Line) -> Result<()> {
        // Help reads the headers of all scripts: looking at characters alone would be a fifth of what it takes.
        let bytes = line.text.bytes();
        if bytes.fold(true, |is_plain, byte| is_plain & (b' '..=b'~').contains(&byte)) {
            return Ok(());
        }
        let Some((at, char)) = line
            .text
            .char_indices()
            .find(|&(_, char)| is_invisible(char) && char != '\t')
        else {
            return Ok(());
        };
        let start = line.start + at;
        let message = format!("the header has the control character U+{:04X}", u32::from(char));
        Err(self.refuse(start..start + char.len_utf8(), &message, "remove it"))
    }
}

/// Whether a character steers the terminal, the direction of the text or the lines of YAML.
pub(in crate::host) fn is_invisible(char: char) -> bool {
    char.is_control()
        || matches!(char, '\u{2028}'..='\u{202e}' | '\u{2066}'..='\u{2069}' | '\u{feff}' | '\u{fffe}' | '\u{ffff}')
}

/// How many bytes the YAML token at the start of `rest` has.
fn token_length(rest: &str) -> usize {
    let mut chars = rest.chars();
    match chars.next() {
        None => 0,
        Some(quote @ ('"' | '\'')) => rest[1..].find(quote).map_or(rest.len(), |end| end + 2),
        Some('{' | '[' | '}' | ']' | ',' | '|' | '>') => 1,
        Some(first) => {
            let end = [": ", ", ", "}", "]", " #"]
                .iter()
                .filter_map(|end| rest.find(end))
                .min();
            let token = rest[..end.unwrap_or(rest.len())].trim_end();
            token.strip_suffix(':').unwrap_or(token).len().max(first.len_utf8())
        }
    }
}

/// Faults are told as they are put together; as an error they begin like any other.
fn capitalized(text: &str) -> String {
    let mut rest = text.chars();
    rest.next()
        .map(|first| first.to_uppercase().chain(rest).collect())
        .unwrap_or_default()
}

fn sentence(text: &str) -> String {
    let stop = if text.ends_with(['.', '?', '!']) { "" } else { "." };
    capitalized(text) + stop
}
