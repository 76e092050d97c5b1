//! A session at a prompt, as a person has it: the real binary in a real terminal, on a real database.

mod connection; // a database that restarts, is down or is slow
mod editing; // lines, keys and what they are completed to
mod interrupts; // Ctrl-C in loops, in statements and at the prompt, and how a session ends
mod kept; // what is kept in the history
mod modes; // what a session may do, and where it says so
mod planning; // changes that are shown before they are made
mod windows; // narrow windows, and those without color

use crate::support::{
    cast,
    postgres::server,
    sandbox::Sandbox,
    snapshot::{Difference, Snapshot},
    store::{OpenStore, Store},
    window::Window,
};

const CTRL_C: &str = "\x03";
const CTRL_D: &str = "\x04";
const TAB: &str = "\t";
const UP: &str = "\x1b[A";

/// So wide that a prompt takes one line.
const WIDE: u16 = 200;

/// A session on a database with the cast in it. Its prompt is shown as `READ> `.
struct Session {
    window: Window,
    store: OpenStore,
    _sandbox: Sandbox,
}

impl Session {
    /// Starts one, and waits for its prompt.
    fn open(name: &str, arguments: &[&str]) -> Self {
        Self::open_with(name, arguments, &[])
    }

    fn open_with(name: &str, arguments: &[&str], variables: &[(&str, &str)]) -> Self {
        let sandbox = Sandbox::new();
        let store = OpenStore::configured(Store::Postgres, &format!("repl_{name}"), &sandbox);
        store.query(&cast::sql()).expect("the cast fits");
        let window = window(&sandbox, arguments, variables, WIDE);
        let mut session = Self {
            window,
            store,
            _sandbox: sandbox,
        };
        let place = session.place();
        session.window.replace(&format!(" {place} {SCHEMA}>"), ">");
        session.window.replace(&format!(" {place}>"), ">");
        for (shown, placeholder) in session.store.placeholders() {
            session.window.replace(&shown, placeholder);
        }
        session.window.first_prompt();
        session
    }

    /// Where it works, as the prompt says it.
    fn place(&self) -> String {
        place(&self.store)
    }

    fn enter(&mut self, input: &str) -> String {
        self.window.enter(input)
    }

    fn rows(&self, sql: &str) -> Vec<String> {
        rows(&self.store, sql)
    }

    fn snapshot(&self) -> Snapshot {
        Snapshot::take(&self.store).expect("the store can be read")
    }

    /// What has changed in the database since.
    fn changed(&self, since: &Snapshot) -> Vec<String> {
        let now = self.snapshot();
        since.differences(&now).iter().flat_map(Difference::lines).collect()
    }

    /// What the connections of masctl do.
    fn connections(&self) -> Vec<String> {
        let sql =
            "SELECT state FROM pg_stat_activity WHERE application_name = 'masctl' AND datname = current_database()";
        self.rows(sql)
    }

    /// Leaves.
    fn leave(mut self) -> String {
        self.window.press(CTRL_D);
        let (text, code) = self.window.end();
        assert_eq!(code, 0, "{text}");
        text
    }
}

const SCHEMA: &str = "schema 20260720 (MAS 1.22)";

fn place(store: &OpenStore) -> String {
    let OpenStore::Postgres { database, .. } = store else {
        panic!("it is a database");
    };
    let server = server();
    let host = match server.port {
        5432 => server.host.clone(),
        port => format!("{}:{port}", server.host),
    };
    format!("{}@{host}/{}", server.username, database.name)
}

/// A session in a window of so many columns, on the store that the sandbox is configured for.
fn window(sandbox: &Sandbox, arguments: &[&str], variables: &[(&str, &str)], columns: u16) -> Window {
    let mut command = sandbox.masctl(1);
    command.env("TERM", "xterm-256color").env("NO_COLOR", "1");
    command.arg("repl").args(arguments).envs(variables.iter().copied());
    Window::open(&command, columns)
}

fn rows(store: &OpenStore, sql: &str) -> Vec<String> {
    store.query(sql).unwrap_or_else(|error| panic!("{sql}: {error}"))
}
