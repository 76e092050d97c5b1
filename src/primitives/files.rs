//! `files::`: read the files that the script's header names.

#[cfg_attr(
    not(test),
    expect(clippy::wildcard_imports, reason = "what the macro writes names all of it")
)]
use rhai::plugin::*;
use rhai::{Dynamic, Map, Module, NativeCallContext};

use super::{ArrayOf, Scripted, call_freely, raise_at};
use crate::{
    error::{Code, Error},
    operations,
};

pub(super) fn module() -> Module {
    exported_module!(files)
}

/// Which files may be read depends on the path, so that the operation looks at the capability first.
#[export_module]
mod files {
    /// Read a file as one text, in UTF-8. `-` is standard input, where it was given for a parameter.
    ///
    /// Needs `files:read` of that path. Fails with `file.unreadable`, `run.writing`, `value.invalid`.
    ///
    /// ```rhai
    /// say(files::text("names.txt").len());
    /// ```
    #[rhai_fn(return_raw)]
    pub fn text(context: NativeCallContext, path: &str) -> Scripted<String> {
        call_freely(&context, |run| operations::files::text(run, path))
    }

    /// Read the lines of a file, without their ends.
    ///
    /// Needs `files:read` of that path. Fails with `file.unreadable`, `run.writing`, `value.invalid`.
    ///
    /// ```rhai
    /// for name in files::lines("names.txt") { users::get(name); }
    /// ```
    #[rhai_fn(return_raw)]
    pub fn lines(context: NativeCallContext, path: &str) -> Scripted<ArrayOf<String>> {
        let lines = call_freely(&context, |run| operations::files::lines(run, path))?;
        Ok(lines.into_iter().map(Dynamic::from).collect())
    }

    /// Read a table of values separated by commas: for each row a map, its cells by the headings of the first line.
    ///
    /// Needs `files:read` of that path. Fails with `file.unreadable`, `run.writing`, `value.invalid`.
    ///
    /// ```rhai
    /// for row in files::csv("people.csv") { emails::list(#{ email: row.email }); }
    /// ```
    #[rhai_fn(return_raw)]
    pub fn csv(context: NativeCallContext, path: &str) -> Scripted<ArrayOf<Map>> {
        let table = call_freely(&context, |run| operations::files::table(run, path))?;
        let headings = &table.headings;
        let map = |cells: Vec<String>| {
            let cells = cells.into_iter().map(Dynamic::from);
            headings.iter().map(Into::into).zip(cells).collect::<Map>()
        };
        Ok(table.rows.into_iter().map(|row| map(row).into()).collect())
    }

    /// Read a file of JSON.
    ///
    /// Needs `files:read` of that path. Fails with `file.unreadable`, `run.writing`, `value.invalid`.
    ///
    /// ```rhai
    /// say(files::json("settings.json").name);
    /// ```
    #[rhai_fn(return_raw)]
    pub fn json(context: NativeCallContext, path: &str) -> Scripted<Dynamic> {
        let value = call_freely(&context, |run| operations::files::json(run, path))?;
        rhai::serde::to_dynamic(value).map_err(|error| {
            let error = Error::new(Code::Bug, "JSON was no value of Rhai's").caused_by(error);
            raise_at(&context, error).into()
        })
    }
}
