//! Many accounts at once: their names, one a line, from standard input.

use std::io::{BufRead, BufReader, Read};

use super::{
    arguments::{self, Arguments, Value},
    header::{Kind, Param},
};
use crate::{
    error::{Code, Error, Result},
    model,
};

/// How many names there may be.
const MOST: usize = 1_000_000;

/// How many bytes there may be.
const MOST_BYTES: u64 = 64 << 20;

/// How many bytes of a line are looked at: a name is shorter, also with a good many spaces behind it.
const LONGEST_LINE: u64 = 8 << 10;

/// The parameter that takes `-` for the names of many accounts: the first positional one, if it is the only one of type
/// `user` and must be given, unless something else is given in its place. A command that names something else first is
/// about that one thing.
#[must_use]
pub fn param(params: &[Param]) -> Option<&Param> {
    let is_replaced = |param: &Param| params.iter().any(|other| other.excludes(param));
    let mut users = params
        .iter()
        .filter(|param| param.kind == Kind::User && param.positional && (param.required || is_replaced(param)));
    let is_first = |user: &Param| {
        params
            .iter()
            .find(|param| param.positional)
            .is_some_and(|first| first.name == user.name)
    };
    users
        .next()
        .filter(|param| !param.repeated && is_first(param) && users.next().is_none())
}

/// Whether the arguments ask for the names on standard input, and for which parameter.
#[must_use]
pub fn wanted<'params>(params: &'params [Param], arguments: &Arguments) -> Option<&'params Param> {
    param(params).filter(|param| arguments.get(&param.name).is_some_and(is_stdin))
}

/// Whether a value stands for the names on standard input.
pub(super) fn is_stdin(value: &Value) -> bool {
    matches!(value, Value::Text(text) if text == "-")
}

/// Usernames, in the order in which they were given.
#[derive(Clone, Debug, Default)]
pub struct Names {
    /// One a line: a million of them take no more room than their letters.
    text: String,
    count: usize,
}

impl Names {
    /// Reads and checks all of them. An empty line is passed over. MXIDs become localparts; the name of the server is
    /// asked for at the first of them.
    ///
    /// # Errors
    /// `argument.invalid` for what is no name, for too much, and where it cannot be read; those of `server_name` and of
    /// [`model::localpart`]. All but the first name the line.
    pub fn read(source: impl Read, param: &Param, server_name: impl FnMut() -> Result<String>) -> Result<Self> {
        Self::read_within(MOST, MOST_BYTES, source, param, server_name)
    }

    fn read_within(
        most: usize,
        most_bytes: u64,
        source: impl Read,
        param: &Param,
        mut server_name: impl FnMut() -> Result<String>,
    ) -> Result<Self> {
        let mut source = BufReader::new(source.take(most_bytes + 1));
        let mut names = Self::default();
        let mut server = None;
        let (mut line, mut number, mut length) = (Vec::new(), 0_usize, 0_u64);
        loop {
            line.clear();
            number += 1;
            let read = source.by_ref().take(LONGEST_LINE).read_until(b'\n', &mut line);
            let read = read.map_err(|error| wrong(&format!("cannot be read: {error}")))?;
            length += read as u64;
            if read == 0 {
                return Ok(names);
            }
            if length > most_bytes {
                return Err(wrong(&format!("has more than {} MiB", most_bytes >> 20)).help("Split the list."));
            }
            let Some(name) = name(&line, number, param)? else {
                continue;
            };
            if names.count == most {
                return Err(wrong(&format!("has more than {most} names")).help("Split the list."));
            }
            if name.contains(['@', ':']) {
                let server: &String = match &mut server {
                    Some(server) => server,
                    none => none.insert(server_name()?),
                };
                let localpart = model::localpart(name, server).map_err(|error| {
                    let message = format!("Line {number} of standard input: {error}");
                    error.reworded(message)
                })?;
                names.add(&localpart);
            } else {
                names.add(name);
            }
        }
    }

    fn add(&mut self, name: &str) {
        self.text.push_str(name);
        self.text.push('\n');
        self.count += 1;
    }

    /// How many there are.
    #[must_use]
    pub fn len(&self) -> usize {
        self.count
    }

    /// Whether there is none.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.count == 0
    }

    /// The names.
    pub fn iter(&self) -> impl Iterator<Item = &str> {
        self.text.lines()
    }
}

/// The name in a line, or nothing if it is empty.
fn name<'line>(line: &'line [u8], number: usize, param: &Param) -> Result<Option<&'line str>> {
    let here = |problem: &str| wrong_line(number, problem);
    if line.len() as u64 == LONGEST_LINE && !line.ends_with(b"\n") {
        return Err(here("must not be longer than 1024 bytes"));
    }
    let name = std::str::from_utf8(line).map_err(|_| here("is not UTF-8"))?;
    // Files of Windows may start so.
    let name = if number == 1 {
        name.trim_start_matches('\u{feff}')
    } else {
        name
    };
    let name = name.trim_end_matches(['\n', '\r', ' ']);
    if name.is_empty() {
        return Ok(None);
    }
    arguments::parse(param, name).map_err(|problem| here(&problem))?;
    Ok(Some(name))
}

fn wrong_line(number: usize, problem: &str) -> Error {
    let message = format!("Line {number} of standard input {problem}");
    Error::new(Code::ArgumentInvalid, message).help("Each line is a username or a MXID. Nothing was done.")
}

fn wrong(problem: &str) -> Error {
    Error::new(Code::ArgumentInvalid, format!("Standard input {problem}"))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::host::header::Header;

    const LOCK: &str = "//! ---\n//! params:\n//!   username: { type: user, positional: true, required: true }\n";

    fn read(text: impl AsRef<[u8]>) -> Result<Names> {
        let header = Header::parse("test.rhai", LOCK)?;
        let param = param(&header.params).expect("it takes many");
        Names::read(text.as_ref(), param, || Ok("example.com".to_owned()))
    }

    fn shown(text: impl AsRef<[u8]>) -> String {
        match read(text) {
            Ok(names) => format!("{} {}", names.len(), names.iter().collect::<Vec<_>>().join("|")),
            Err(error) => format!("{} {}", error.code().exit_status(), error.message()),
        }
    }

    #[test]
    fn each_line_is_a_name() {
        assert_eq!(shown(""), "0 ");
        assert_eq!(shown("\n  \r\n\n"), "0 ");
        assert_eq!(shown("alice\nbob"), "2 alice|bob");
        assert_eq!(
            shown("\u{feff}alice  \r\n\n@bob:example.com\n-\nalice\n"),
            "4 alice|bob|-|alice"
        );
        assert_eq!(shown("# no comment\n a b\n"), "2 # no comment| a b");
    }

    #[test]
    fn what_is_no_name_is_refused_with_its_line() {
        let long = "a".repeat(1024);
        assert_eq!(shown(format!("{long} \r\n")), format!("1 {long}"));
        let table: [(&[u8], &str); 5] = [
            (
                b"alice\n\nbo\tb\n",
                "2 Line 3 of standard input must not have control characters",
            ),
            (b"a\0b", "2 Line 1 of standard input must not have control characters"),
            (b"alice\n\xff\n", "2 Line 2 of standard input is not UTF-8"),
            (
                b"alice\n@bob:example.org\n",
                "1 Line 2 of standard input: `@bob:example.org` is a user of `example.org`, not of this server, `example.com`",
            ),
            (
                b"@:example.com",
                "1 Line 1 of standard input: `@:example.com` has no username in it",
            ),
        ];
        for (text, expected) in table {
            assert_eq!(shown(text), expected);
        }
        let longer = "2 Line 2 of standard input must not be longer than 1024 bytes";
        assert_eq!(shown(format!("alice\n{long}a\n")), longer);
        assert_eq!(shown(format!("alice\n{}", "a".repeat(1 << 20))), longer);
    }

    #[test]
    fn there_may_be_so_many_names_in_so_many_bytes() {
        assert_eq!((MOST, MOST_BYTES), (1_000_000, 64 * 1024 * 1024));
        let header = Header::parse("test.rhai", LOCK).unwrap();
        let param = param(&header.params).unwrap();
        let read = |text: &str| Names::read_within(3, 1 << 20, text.as_bytes(), param, || Ok(String::new()));
        assert_eq!(read("a\nb\n\nc\n\n").unwrap().len(), 3);
        let error = read("a\nb\nc\nd").unwrap_err();
        assert_eq!(error.message(), "Standard input has more than 3 names");
        let spaces = format!("{}\n", " ".repeat(1023)).repeat(1024);
        assert!(read(&spaces).unwrap().is_empty());
        assert_eq!(
            read(&(spaces + "\n")).unwrap_err().message(),
            "Standard input has more than 1 MiB"
        );
    }

    #[test]
    fn the_server_is_asked_for_only_where_a_line_names_one() {
        let header = Header::parse("test.rhai", LOCK).unwrap();
        let param = param(&header.params).unwrap();
        let unknown = || Err(Error::new(Code::ConfigMissing, "no server"));
        assert_eq!(Names::read(&b"alice\n"[..], param, unknown).unwrap().len(), 1);
        let error = Names::read(&b"@alice:example.com\n"[..], param, unknown).unwrap_err();
        assert_eq!(error.code(), Code::ConfigMissing);
    }

    #[test]
    fn only_one_required_user_by_its_place_takes_many() {
        let takes = |yaml: &str| {
            let lines: Vec<_> = yaml.lines().map(|line| format!("//! {line}\n")).collect();
            let header = Header::parse("test.rhai", &format!("//! ---\n{}", lines.concat())).unwrap();
            param(&header.params).map(|param| param.name.clone())
        };
        let user = "type: user, positional: true, required: true";
        assert_eq!(takes(&format!("params: {{ a: {{ {user} }} }}")).as_deref(), Some("a"));
        let beside = format!("params: {{ a: {{ {user} }}, b: {{ type: email, positional: true, required: true }} }}");
        assert_eq!(takes(&beside).as_deref(), Some("a"));
        let behind = format!("params: {{ b: {{ type: email, positional: true, required: true }}, a: {{ {user} }} }}");
        assert_eq!(takes(&behind), None);
        assert_eq!(takes(&format!("params: {{ a: {{ {user} }}, b: {{ {user} }} }}")), None);
        assert_eq!(takes(&format!("params: {{ a: {{ {user}, repeated: true }} }}")), None);
        assert_eq!(takes("params: { a: { type: user, positional: true } }"), None);
        assert_eq!(takes("params: { a: { type: user, required: true } }"), None);
        let replaced = "params: { a: { type: user, positional: true, conflicts: [b] }, b: { type: ulid } }";
        assert_eq!(takes(replaced).as_deref(), Some("a"));
    }
}
