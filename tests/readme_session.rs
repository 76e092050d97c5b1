//! The session that the README shows is what a terminal shows.

use std::{fs, path::Path};

use masctl::host::repl::meta::META_COMMANDS;

use crate::support::{sandbox::Sandbox, window::Window};

const BEGINNING: &str = "<!-- session -->\n```text\n";
const END: &str = "\n```\n";

/// What is entered at the prompt, one after the other. The answer to a question is entered as well.
fn converse() -> String {
    let sandbox = Sandbox::new();
    let mut command = sandbox.masctl(5);
    command.env("TERM", "xterm-256color").env("NO_COLOR", "1");
    command.args(["repl", "--sandbox"]);
    let mut window = Window::open(&command, 80);
    window.first_prompt();
    window.enter("users::list(#{ locked: true })");
    window.enter("let bob = users::get(\"bob\")");
    window.enter("bob.emails()");
    window.enter("\\mode plan");
    let input = "for email in bob.emails() { if email.email != \"bob@example.com\" { email.remove(); } }";
    window.press(&format!("{input}\r"));
    window.see("Apply this change?");
    window.press_for_prompt("y\r");
    window.enter("emails::count(#{ user: \"bob\" })");
    window.enter("bob.lokc()");
    window.enter("\\changes");
    let shown = window.text();
    shown.trim_end().to_owned()
}

#[test]
fn the_readme_shows_a_real_session() {
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("README.md");
    let readme = fs::read_to_string(&path).expect("README is there");
    let (before, rest) = readme.split_once(BEGINNING).expect("README has the session");
    let (shown, after) = rest.split_once(END).expect("the session has an end");
    let real = converse();
    if std::env::var_os("UPDATE").is_some() {
        fs::write(&path, format!("{before}{BEGINNING}{real}{END}{after}")).expect("README can be written");
    } else {
        assert_eq!(shown, real, "UPDATE=1 writes it anew");
    }
}

#[test]
fn the_readme_lists_every_meta_command() {
    let readme = include_str!("../README.md");
    let rows = META_COMMANDS.iter().map(|command| {
        let usage = command.usage().replace('|', "\\|");
        format!("| `{usage}` | {} |\n", command.about)
    });
    let table = format!(
        "| meta-command | what it does |\n|---|---|\n{}\n",
        rows.collect::<String>()
    );
    assert!(readme.contains(&table), "README lacks this table:\n{table}");
}
