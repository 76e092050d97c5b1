//! A script: its text, its header, and where it is from.

use std::{
    borrow::Cow,
    io::Read,
    path::{Path, PathBuf},
    sync::Arc,
};

use super::{
    catalogue,
    header::{Header, is_invisible},
};
use crate::{
    capability::Capabilities,
    config::{self, Unread},
    error::{Code, Error, Excerpt, Result},
};

/// How long a script or module may be, in bytes.
pub const LONGEST: usize = 1 << 20;

/// How long the name of a file beside a script may be, in bytes.
const LONGEST_NAME: usize = 512;

/// What errors call a script that is read from standard input.
const STDIN: &str = "standard input";

/// Where a script is from. Its modules are looked for there.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Origin {
    /// It ships inside of the binary.
    Shipped,
    /// A file, in the folder that its modules are in.
    File {
        /// The folder.
        folder: PathBuf,
    },
    /// Standard input, from which nothing else can be read then.
    Stdin,
    /// Nowhere.
    Text,
    /// The command line. It has neither a header nor `main`: what its last statement comes to is its result.
    Expression,
}

/// A script with its header read.
#[derive(Clone, Debug)]
pub struct Script {
    /// What its command is called: `lock-user`.
    pub name: String,
    /// What errors call it: `manage/lock-user.rhai`, or the path of its file.
    pub label: String,
    /// The whole text.
    pub source: Arc<str>,
    /// What its header says.
    pub header: Header,
    /// Where it is from.
    pub origin: Origin,
}

impl Script {
    /// Reads the header of a script that is from nowhere.
    ///
    /// # Errors
    /// `header.invalid`.
    pub fn new(name: &str, label: &str, source: &str) -> Result<Self> {
        Ok(Self::with(
            name,
            label,
            source,
            Header::parse(label, source)?,
            Origin::Text,
        ))
    }

    /// Reads a script from standard input.
    ///
    /// # Errors
    /// `file.unreadable`, `script.syntax` for what is no text, `header.invalid`.
    pub fn of_stdin(source: impl Read) -> Result<Self> {
        let text = stdin_text(source)?;
        let header = Header::parse(STDIN, &text)?;
        Ok(Self::with("script", STDIN, &text, header, Origin::Stdin))
    }

    /// Statements that stand in the place of a script, and may do so much.
    #[must_use]
    pub fn expression(source: &str, needs: Option<Capabilities>) -> Self {
        let header = Header::of_expression(needs);
        Self::with("eval", "eval", source, header, Origin::Expression)
    }

    /// Reads a script from a file. It is called as its file is, without the extension.
    ///
    /// # Errors
    /// `file.unreadable`, `script.syntax` for what is no text, `header.invalid`.
    pub fn read(path: &Path) -> Result<Self> {
        Self::read_with(path, Header::parse)
    }

    /// As [`Self::read`], but its header is left out.
    ///
    /// # Errors
    /// `file.unreadable`, `script.syntax` for what is no text.
    pub(super) fn read_without_header(path: &Path) -> Result<Self> {
        Self::read_with(path, |_, _| Ok(Header::of_expression(None)))
    }

    fn read_with(path: &Path, header: impl Fn(&str, &str) -> Result<Header>) -> Result<Self> {
        let label = path.display().to_string();
        let source = read_text(path)?;
        let header = header(&label, &source)?;
        let name = path.file_stem().unwrap_or_default().to_string_lossy();
        let folder = match path.parent() {
            Some(folder) if folder != Path::new("") => folder.to_owned(),
            _ => PathBuf::from("."),
        };
        Ok(Self::with(&name, &label, &source, header, Origin::File { folder }))
    }

    pub(super) fn with(name: &str, label: &str, source: &str, header: Header, origin: Origin) -> Self {
        Self {
            name: name.to_owned(),
            label: label.to_owned(),
            source: source.into(),
            header,
            origin,
        }
    }

    /// The text as Rhai is to read it, of the same length: `#!` begins no comment there.
    #[must_use]
    pub fn code(&self) -> Cow<'_, str> {
        let source = &*self.source;
        if !source.starts_with("#!") {
            return source.into();
        }
        // `//` in its place would make a path a doc comment.
        let (first, rest) = source.split_at(source.find('\n').unwrap_or(source.len()));
        format!("{}{rest}", " ".repeat(first.len())).into()
    }

    /// Whether it was read from standard input.
    #[must_use]
    pub fn is_of_stdin(&self) -> bool {
        self.origin == Origin::Stdin
    }

    /// Whether it is the command that mas-cli has under its name.
    #[must_use]
    pub fn is_of_mas_cli(&self) -> bool {
        self.origin == Origin::Shipped && catalogue::is_of_mas_cli(&self.name)
    }
}

/// Whether a file is called as scripts and modules are: `NAME.rhai`.
#[must_use]
pub fn is_script(path: &Path) -> bool {
    path.extension().is_some_and(|extension| extension == "rhai")
}

/// Whether a file is called as one of tests is: `NAME.test.rhai`.
#[must_use]
pub fn is_of_tests(path: &Path) -> bool {
    let name = path.file_name().unwrap_or_default();
    name.as_encoded_bytes().ends_with(b".test.rhai")
}

/// The file that `./NAME` means, from the folder that it starts in, by what stands after `./`: nothing that could lead
/// out of there.
pub(super) fn file_beside(name: &str) -> Option<PathBuf> {
    let is_of_name = |byte: u8| byte.is_ascii_alphanumeric() || b"_-".contains(&byte);
    let is_plain = |part: &str| !part.is_empty() && part.bytes().all(is_of_name);
    (name.len() <= LONGEST_NAME && name.split('/').all(is_plain)).then(|| PathBuf::from(format!("{name}.rhai")))
}

/// Whether a function of this name is a test: it takes what `scripts test` has, and needs no capability.
pub(super) fn is_test(name: &str) -> bool {
    name.starts_with("test_")
}

/// Reads the text of a script or module.
///
/// # Errors
/// `file.unreadable`, `script.syntax` for what is no text.
pub fn read_text(path: &Path) -> Result<String> {
    let unreadable = |cause| {
        let message = format!("The script `{}` cannot be read: {cause}", path.display());
        Error::new(Code::FileUnreadable, message)
    };
    let label = path.display().to_string();
    match config::read_file(path, LONGEST) {
        Ok(bytes) => text_of(&**bytes, &label)?.map_err(unreadable),
        Err(Unread::Failed(cause)) => Err(unreadable(cause)),
        Err(Unread::TooLarge) => Err(too_large(&label)),
    }
}

/// Reads a text that stands in the place of a script from standard input.
///
/// # Errors
/// `file.unreadable`, `script.syntax` for what is no text.
pub fn stdin_text(source: impl Read) -> Result<String> {
    text_of(source, STDIN)?.map_err(|cause| {
        let message = format!("The script on standard input cannot be read: {cause}");
        Error::new(Code::FileUnreadable, message)
    })
}

fn too_large(label: &str) -> Error {
    let message = format!("The script `{label}` is larger than 1 MiB");
    Error::new(Code::ScriptSyntax, message).help("Give data as a file to read, not as a part of the script.")
}

/// Reads a script or module, which errors call `label`, to its end. The inner error is that of reading.
///
/// # Errors
/// `script.syntax` for what is too long, is not UTF-8 or has characters that nobody sees.
pub fn text_of(source: impl Read, label: &str) -> Result<std::io::Result<String>> {
    let refuse = |message: String| Error::new(Code::ScriptSyntax, message);
    let mut bytes = Vec::new();
    if let Err(cause) = source.take(LONGEST as u64 + 1).read_to_end(&mut bytes) {
        return Ok(Err(cause));
    }
    if bytes.len() > LONGEST {
        return Err(too_large(label));
    }
    let text = String::from_utf8(bytes).map_err(|error| {
        let valid = error.utf8_error().valid_up_to();
        let line = error.as_bytes()[..valid].split(|&byte| byte == b'\n').count();
        refuse(format!("The script `{label}` is not UTF-8 in line {line}"))
    })?;
    match unreadable_character(&text) {
        None => Ok(Ok(text)),
        Some((at, char)) => {
            let message = match char {
                '\0' => format!("The script `{label}` has a NUL character"),
                _ => format!(
                    "The script `{label}` has the invisible character U+{:04X}",
                    u32::from(char)
                ),
            };
            let help = format!("A string can have it as `\\u{:04x}`.", u32::from(char));
            let place = Excerpt::new(label, text.as_str(), at..at + char.len_utf8());
            Err(refuse(message).help(help).at(place))
        }
    }
}

/// The first character that lets a text read otherwise than it runs: what moves the cursor, turns the direction of the text
/// or begins a line that editors do not show as one.
fn unreadable_character(text: &str) -> Option<(usize, char)> {
    let mut chars = text.char_indices().peekable();
    while let Some((at, char)) = chars.next() {
        let fits = match char {
            '\n' | '\t' => true,
            '\r' => chars.peek().is_none_or(|(_, next)| *next == '\n'),
            _ => !is_invisible(char),
        };
        if !fits {
            return Some((at, char));
        }
    }
    None
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_text_of_a_sane_size_is_a_script() {
        let read = |bytes: &[u8]| text_of(bytes, "x.rhai").map(|read| read.unwrap());
        assert_eq!(read("fn main() {}".as_bytes()).unwrap(), "fn main() {}");
        let refused = |bytes: &[u8]| read(bytes).unwrap_err().to_string();
        assert_eq!(refused(b"a\nb\xff"), "The script `x.rhai` is not UTF-8 in line 2");
        assert_eq!(refused(b"a\0"), "The script `x.rhai` has a NUL character");
        for hidden in ["\u{202e}", "\u{feff}a", "// a\rb()", "\u{1b}[2J", "\u{2028}"] {
            let told = refused(hidden.as_bytes());
            assert!(told.contains("has the invisible character U+"), "{hidden:?}: {told}");
        }
        for plain in ["a\tb\r\nc\r", "\"עברית 漢字 🦀\""] {
            assert_eq!(read(plain.as_bytes()).unwrap(), plain);
        }
        let huge = vec![b' '; 1 + LONGEST];
        assert_eq!(refused(&huge), "The script `x.rhai` is larger than 1 MiB");
        assert!(read(&huge[1..]).is_ok());
    }

    #[test]
    fn the_line_that_names_the_program_is_no_code() {
        let code = |text: &str| Script::new("x", "x.rhai", text).unwrap().code().into_owned();
        assert_eq!(
            code("#!/bin/x\nimport \"std/a\" as a;\n"),
            "        \nimport \"std/a\" as a;\n"
        );
        assert_eq!(code("#!x"), "   ");
        assert_eq!(code("fn main(args) {}"), "fn main(args) {}");
    }

    #[test]
    fn only_what_ships_is_of_mas_cli() {
        let own = Script::new("lock-user", "lock-user.rhai", "fn main(args) {}").unwrap();
        assert!(!own.is_of_mas_cli());
        let shipped = catalogue::manage_scripts(|name| name == "lock-user").unwrap();
        assert!(shipped[0].is_of_mas_cli());
    }
}
