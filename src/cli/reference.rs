//! `masctl reference`: what scripts can call and see, for people, for programs, as Markdown and for editors.

mod page;

use clap::{Arg, ArgAction, ArgMatches, Command};
use serde_json::Value;

pub(super) use self::page::Page;
use super::{
    options::Options,
    pager,
    render::{self, Format},
};
use crate::{
    error::Result,
    host::reference::{Entry, Hit, Reference, definitions, markdown},
};

pub(super) fn command() -> Command {
    let whole = |name: &'static str| {
        Arg::new(name)
            .long(name)
            .action(ArgAction::SetTrue)
            .conflicts_with("name")
    };
    Command::new("reference")
        .about("Show what scripts can call and see")
        .arg(Arg::new("name").value_name("NAME").help(
            "What to show: users::get, lock, User, user.not_found, users:write, std/passwords, header; all if not given",
        ))
        .arg(
            whole("markdown")
                .conflicts_with("definitions")
                .help("Print all of it as Markdown"),
        )
        .arg(whole("definitions").help("Print definitions for editors that know Rhai, for a file masctl.d.rhai"))
}

/// Prints what is asked for. Neither configuration nor database is looked at.
pub(super) fn run(matches: &ArgMatches, options: &Options) -> Result<()> {
    if matches.get_flag("definitions") {
        return render::print(&definitions::text());
    }
    let reference = Reference::new()?;
    if matches.get_flag("markdown") {
        return render::print(&markdown::page(&reference));
    }
    let name = matches.get_one::<String>("name");
    let hits = name.map(|name| reference.find(name)).transpose()?;
    if options.wish.format != Format::Table || options.wish.fields.is_some() {
        let entries = match &hits {
            None => reference.entries().map(Entry::to_value).collect(),
            Some(hits) => hits.iter().flat_map(entries_of).map(Entry::to_value).collect(),
        };
        return render::print(&render::plain(&Value::Array(entries), &options.wish)?);
    }
    let mut page = Page::for_people();
    match &hits {
        None => reference.sections.iter().for_each(|section| page.section(section)),
        Some(hits) => page.hits(hits),
    }
    pager::show(&page.text())
}

fn entries_of<'a>(hit: &Hit<'a>) -> Vec<&'a Entry> {
    match hit {
        Hit::Section(section) => {
            let groups = section.groups.iter();
            groups
                .flat_map(|group| group.head.iter().chain(&group.entries))
                .collect()
        }
        Hit::Group(group) => group.head.iter().chain(&group.entries).collect(),
        Hit::Entry(entry) => vec![entry],
    }
}
