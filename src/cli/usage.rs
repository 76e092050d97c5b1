//! Mistakes in the arguments, in clap's words: the first line says all, and no value in it can steer the terminal.

use std::ffi::OsString;

use clap::error::{ContextKind, ContextValue, ErrorKind};

use super::{
    own, render,
    terminal::{Terminal, one_line, printable, write_stderr},
};
use crate::{
    error::{Code, Error, Result, nearest, shortened},
    host::catalogue,
    model::TokenKind,
};

/// The most characters of an argument that an error repeats.
const LONGEST_SHOWN: usize = 80;

/// The exit status of wrong usage.
const WRONG: u8 = 2;

/// Prints what clap has to say: help and version are no failures, a mistake in the arguments is.
pub(super) fn answer(mut error: clap::Error, arguments: &[OsString], json: bool) -> Result<u8> {
    match error.kind() {
        ErrorKind::DisplayHelp => {
            let _ = error.print();
            Ok(0)
        }
        ErrorKind::DisplayVersion => {
            render::print(&format!("{} {}\n", env!("CARGO_PKG_NAME"), env!("CARGO_PKG_VERSION"))).map(|()| 0)
        }
        ErrorKind::DisplayHelpOnMissingArgumentOrSubcommand if json => {
            Err(Error::new(Code::ArgumentMissing, "A command is missing").help("`--help` lists them."))
        }
        ErrorKind::DisplayHelpOnMissingArgumentOrSubcommand => {
            let _ = error.print();
            Ok(WRONG)
        }
        _ => {
            suggest_manage(&mut error, arguments);
            if json {
                return Err(self::error(error, "; "));
            }
            tame(&mut error);
            let (message, rest) = first_paragraph(&error.render().to_string());
            let (message, rest) = if Terminal::style(false).color {
                first_paragraph(&error.render().ansi().to_string())
            } else {
                (message, rest)
            };
            write_stderr(&format!("{}\n\n{rest}", message.replacen("error:", "Error:", 1)));
            Ok(WRONG)
        }
    }
}

/// A mistake in the arguments as an error of ours, the lines of its help joined by this.
pub(super) fn error(mut error: clap::Error, between: &str) -> Error {
    tame(&mut error);
    let code = match error.kind() {
        ErrorKind::MissingRequiredArgument | ErrorKind::MissingSubcommand => Code::ArgumentMissing,
        _ => Code::ArgumentInvalid,
    };
    let (message, rest) = first_paragraph(&error.render().to_string());
    let message = message.trim_start_matches("error: ").to_owned();
    let help: Vec<_> = rest.lines().map(str::trim).filter(|line| !line.is_empty()).collect();
    Error::new(code, message).help(help.join(between))
}

/// Makes the arguments in the error short and harmless.
fn tame(error: &mut clap::Error) {
    let strings: Vec<(ContextKind, String)> = error
        .context()
        .filter_map(|(kind, value)| match value {
            ContextValue::String(text) => Some((kind, text.clone())),
            _ => None,
        })
        .collect();
    for (kind, text) in strings {
        let shown = harmless(&text);
        if shown != text {
            error.insert(kind, ContextValue::String(shown));
        }
    }
}

/// A command of `manage` that stands alone is told where it belongs, also one that is nearly written as it is.
fn suggest_manage(error: &mut clap::Error, arguments: &[OsString]) {
    let Some(ContextValue::String(name)) = error.get(ContextKind::InvalidSubcommand) else {
        return;
    };
    let tip = if catalogue::is_manage_command(name) {
        format!("the command is 'masctl manage {name}'")
    } else {
        let own = own::names(arguments);
        if own.contains(name) {
            format!("the command is 'masctl manage {name}'")
        } else if error.get(ContextKind::SuggestedSubcommand).is_some() {
            return;
        } else {
            let mut known: Vec<&str> = own.iter().map(String::as_str).collect();
            for (_, names) in catalogue::manage_groups() {
                names.for_each(|name| known.push(name));
            }
            let Some(nearest) = nearest(name, &known) else {
                return;
            };
            format!("a similar command exists: 'masctl manage {nearest}'")
        }
    };
    error.insert(ContextKind::Suggested, ContextValue::StyledStrs(vec![tip.into()]));
    // What is only spelled alike would come first.
    error.remove(ContextKind::SuggestedSubcommand);
}

/// A token that stands where an id should gets no further: errors are logged and pasted.
fn harmless(text: &str) -> String {
    if TokenKind::of(&text.into()).is_some() {
        return "<secret>".to_owned();
    }
    one_line(&printable(&shortened(text, LONGEST_SHOWN))).into_owned()
}

/// The first paragraph as one line, and what comes after it.
fn first_paragraph(text: &str) -> (String, String) {
    let (first, rest) = text.split_once("\n\n").unwrap_or((text, ""));
    let joined: Vec<_> = first.lines().map(str::trim).collect();
    (joined.join(" "), rest.to_owned())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_first_paragraph_becomes_one_line() {
        let text = "error: these are missing:\n  <A>\n  <B>\n\nUsage: x\n\nMore.\n";
        assert_eq!(
            first_paragraph(text),
            (
                "error: these are missing: <A> <B>".to_owned(),
                "Usage: x\n\nMore.\n".to_owned()
            )
        );
        assert_eq!(first_paragraph("error: x"), ("error: x".to_owned(), String::new()));
    }

    #[test]
    fn hostile_values_are_short_and_harmless() {
        assert_eq!(harmless("a\u{1b}[2Jb\nc"), "a\\u{1b}[2Jb\\nc");
        assert_eq!(harmless(&"é".repeat(10_000)), "é".repeat(80) + "…");
        assert_eq!(harmless(&"é".repeat(80)), "é".repeat(80));
        assert_eq!(harmless("mct_fNbm5KAQovodfVQz7IvDc44woP66fR_fsaiD1"), "<secret>");
    }
}
