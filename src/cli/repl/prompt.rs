//! What stands before an input: where it works, and what it may do there.

use unicode_width::{UnicodeWidthChar, UnicodeWidthStr};

use super::super::terminal::{one_line, printable};
use crate::{host::repl::Mode, operations::Place};

/// The port of PostgreSQL.
const USUAL_PORT: u16 = 5432;

/// Where a session works, and what its inputs may do.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Parts {
    pub(super) mode: Mode,
    /// `None` for a file.
    pub(super) user: Option<String>,
    /// The host, with the port where it is not the usual one; `None` for a file.
    pub(super) host: Option<String>,
    /// The name of the database, or the path of the file.
    pub(super) database: String,
    /// `schema 20260720 (MAS 1.22)`, once it is known.
    pub(super) schema: Option<String>,
}

/// A prompt as it is drawn, and as its width is measured.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Prompt {
    pub(super) plain: String,
    pub(super) styled: String,
}

impl Prompt {
    /// Lays the parts out for a window of so many columns: in one line if that leaves room for an input. What is too wide
    /// is shortened in its middle, but never the mode and the host.
    pub(super) fn new(parts: &Parts, columns: usize, color: bool) -> Self {
        let mode = parts.mode.in_capitals();
        let place = parts.place(columns.saturating_sub(1));
        let schema = parts.schema.as_deref().map(shown);
        let mut lines = vec![mode.clone()];
        for word in [Some(place), schema]
            .into_iter()
            .flatten()
            .filter(|word| !word.is_empty())
        {
            match lines.last_mut() {
                Some(line) if line.width() + 1 + word.width() < columns => line.extend([" ", &word]),
                _ => lines.push(word),
            }
        }
        let room = (columns / 4).max(10);
        match lines.last_mut() {
            Some(line) if line.width() + 2 + room <= columns => line.push_str("> "),
            _ => lines.push("> ".to_owned()),
        }
        let plain = lines.join("\n");
        let styled = match parts.mode {
            _ if !color => plain.clone(),
            Mode::Read => colored(&plain, &mode, "32"),
            Mode::Plan => colored(&plain, &mode, "33"),
            Mode::Write => colored(&plain, &mode, "31"),
        };
        Self { plain, styled }
    }

    /// The columns that its last line takes.
    pub(super) fn width(&self) -> usize {
        self.plain.rsplit('\n').next().map_or(0, UnicodeWidthStr::width)
    }
}

impl Parts {
    /// Those of a session in this mode, at this place.
    pub(super) fn of(mode: Mode, place: Place) -> Self {
        let server = place.server;
        Self {
            mode,
            user: server.as_ref().map(|server| server.user.clone()),
            host: server.map(|server| match server.port {
                USUAL_PORT => server.host,
                port => format!("{}:{port}", server.host),
            }),
            database: place.database,
            schema: place.schema,
        }
    }

    /// `USER@HOST/DATABASE`, or the path of a file, in so many columns if that can be.
    fn place(&self, columns: usize) -> String {
        let database = shown(&self.database);
        let Some(host) = self.host.as_deref().map(shown) else {
            return shortened(&database, columns);
        };
        let user = self.user.as_deref().map(shown).filter(|user| !user.is_empty());
        let rest = columns.saturating_sub(host.width() + 1 + usize::from(user.is_some()));
        // Each may take half, and what the other leaves.
        let widths = [user.as_deref().map_or(0, UnicodeWidthStr::width), database.width()];
        let half = |own: usize, other: usize| own.min((rest / 2).max(rest.saturating_sub(other)));
        let database = shortened(&database, half(widths[1], widths[0]).max(1));
        match user {
            Some(user) => format!(
                "{}@{host}/{database}",
                shortened(&user, half(widths[0], widths[1]).max(1))
            ),
            None => format!("{host}/{database}"),
        }
    }
}

/// A name that others chose, on one line, which cannot steer the terminal.
fn shown(name: &str) -> String {
    one_line(&printable(name)).into_owned()
}

/// A text with its middle left out where it is too wide.
fn shortened(text: &str, columns: usize) -> String {
    if text.width() <= columns {
        return text.to_owned();
    }
    let room = columns.saturating_sub(1);
    let start = fitting(text.chars(), room.div_ceil(2));
    let end = fitting(text.chars().rev(), room / 2);
    start.into_iter().chain(['…']).chain(end.into_iter().rev()).collect()
}

/// As many of the characters as fit.
fn fitting(characters: impl Iterator<Item = char>, columns: usize) -> Vec<char> {
    let mut taken = 0;
    let fits = |character: &char| {
        taken += character.width().unwrap_or(0);
        taken <= columns
    };
    characters.take_while(fits).collect()
}

/// The prompt with its mode in bold and in color.
fn colored(plain: &str, mode: &str, color: &str) -> String {
    let rest = plain.strip_prefix(mode).unwrap_or_default();
    format!("\x1b[1;{color}m{mode}\x1b[0m{rest}")
}

#[cfg(test)]
mod tests {
    use super::*;

    fn parts() -> Parts {
        Parts {
            mode: Mode::Read,
            user: Some("mas".to_owned()),
            host: Some("db.example.org".to_owned()),
            database: "mas".to_owned(),
            schema: Some("schema 20260720 (MAS 1.22)".to_owned()),
        }
    }

    fn plain(parts: &Parts, columns: usize) -> String {
        Prompt::new(parts, columns, false).plain
    }

    #[test]
    fn it_takes_one_line_where_that_leaves_room() {
        assert_eq!(
            plain(&parts(), 80),
            "READ mas@db.example.org/mas schema 20260720 (MAS 1.22)> "
        );
        assert_eq!(
            plain(&parts(), 60),
            "READ mas@db.example.org/mas schema 20260720 (MAS 1.22)\n> "
        );
        assert_eq!(
            plain(&parts(), 40),
            "READ mas@db.example.org/mas\nschema 20260720 (MAS 1.22)> "
        );
        let file = Parts {
            host: None,
            user: None,
            schema: None,
            database: "/srv/masctl.db".to_owned(),
            ..parts()
        };
        assert_eq!(plain(&file, 80), "READ /srv/masctl.db> ");
        let unknown = Parts {
            schema: None,
            ..parts()
        };
        assert_eq!(plain(&unknown, 80), "READ mas@db.example.org/mas> ");
    }

    #[test]
    fn the_mode_and_the_host_are_never_cut() {
        let long = Parts {
            user: Some("an_application_user_with_a_long_name".to_owned()),
            host: Some("database.internal.example.org:5433".to_owned()),
            database: "matrix_authentication_service".to_owned(),
            ..parts()
        };
        for columns in 1..160 {
            let plain = plain(&long, columns);
            assert!(plain.starts_with("READ"), "{plain}");
            assert!(plain.contains("@database.internal.example.org:5433/"), "{plain}");
            let widest = plain.lines().map(UnicodeWidthStr::width).max().unwrap();
            assert!(columns < 41 || widest < columns, "{columns}: {plain}");
        }
        assert_eq!(
            plain(&long, 60),
            "READ\nan_ap…_name@database.internal.example.org:5433/matri…rvice\nschema 20260720 (MAS 1.22)> "
        );
    }

    #[test]
    fn names_cannot_steer() {
        let hostile = Parts {
            database: "a\x1b[2J\nb\u{202e}\u{1f600}".to_owned(),
            ..parts()
        };
        assert_eq!(
            plain(&hostile, 100),
            "READ mas@db.example.org/a\\u{1b}[2J\\nb\\u{202e}\u{1f600} schema 20260720 (MAS 1.22)\n> "
        );
    }

    #[test]
    fn the_mode_has_its_color() {
        for (mode, color) in [(Mode::Read, "32"), (Mode::Plan, "33"), (Mode::Write, "31")] {
            let prompt = Prompt::new(&Parts { mode, ..parts() }, 80, true);
            let word = mode.in_capitals();
            assert!(prompt.styled.starts_with(&format!("\x1b[1;{color}m{word}\x1b[0m mas@")));
            assert_eq!(prompt.plain.width(), prompt.width());
        }
    }

    #[test]
    fn what_is_wide_is_shortened_by_its_width() {
        assert_eq!(shortened("ab", 2), "ab");
        assert_eq!(shortened("abcdef", 4), "ab…f");
        assert_eq!(shortened("漢字漢字", 5), "漢…字");
        assert_eq!(shortened("abc", 1), "…");
    }
}
