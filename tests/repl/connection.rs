//! A database that restarts, is down or comes back: the session goes on.

use super::{WIDE, window};
use crate::support::{
    cluster::{Cluster, SUPERUSER},
    mas_database,
    postgres::execute,
    sandbox::Sandbox,
    window::Window,
};

/// A server of its own, which can be restarted, with a session on it.
struct Restarted {
    cluster: Cluster,
    port: u16,
    window: Window,
    _sandbox: Sandbox,
}

impl Restarted {
    fn open() -> Self {
        let cluster = Cluster::create("", "local all all trust\nhost all all 127.0.0.1/32 trust\n");
        let port = cluster.start();
        let options = sqlx::postgres::PgConnectOptions::new_without_pgpass()
            .host("127.0.0.1")
            .port(port)
            .username(SUPERUSER);
        execute(options.clone().database("postgres"), "CREATE DATABASE mas".to_owned());
        execute(options.clone().database("mas"), mas_database::layout());
        execute(
            options.database("mas"),
            "INSERT INTO users (user_id, username, created_at) \
             VALUES ('018ea000-0000-7000-8000-000000000001', 'alice', '2024-04-09T00:00:00Z')"
                .to_owned(),
        );
        let sandbox = Sandbox::new();
        let uri = format!("postgresql://{SUPERUSER}@127.0.0.1:{port}/mas");
        sandbox.write(
            "config.yaml",
            &format!("database: {{ uri: '{uri}' }}\nmatrix: {{ homeserver: example.com }}\n"),
        );
        let mut window = window(&sandbox, &["--mode", "write"], &[], WIDE);
        for schema in [" schema 20260720 (MAS 1.22)", ""] {
            window.replace(&format!(" {SUPERUSER}@127.0.0.1:{port}/mas{schema}>"), ">");
        }
        window.replace(&port.to_string(), "{port}");
        window.first_prompt();
        Self {
            cluster,
            port,
            window,
            _sandbox: sandbox,
        }
    }

    fn restart(&self) {
        self.cluster.stop();
        self.start();
    }

    fn start(&self) {
        self.cluster.start_at(self.port).expect("the port is still free");
    }
}

#[test]
fn a_session_outlives_the_server() {
    let mut session = Restarted::open();
    let get = r#"users::get("alice").username"#;
    let found = format!("WRITE> {get}\nalice\n");
    assert_eq!(session.window.enter(get), found);

    session.restart();
    assert_eq!(
        session.window.enter(get),
        format!("WRITE> {get}\nWarning: the connection to the database was lost: connected again\nalice\n")
    );
    assert_eq!(session.window.enter(get), found);

    let from = session.window.row();
    let long = r#"users::get("alice").lock(); say("under" + "way"); while true { users::get("alice") }"#;
    session.window.press(long);
    session.window.press("\r");
    session.window.see_below(from, "underway");
    session.cluster.stop();
    assert_eq!(
        session.window.prompt_below(from),
        format!(
            "WRITE> {long}\nunderway\n\
             Error: The database ended the connection: terminating connection due to administrator command\n  \
             help: Nothing was changed: what a lost connection has not committed is taken back. Run it again.\n"
        )
    );

    assert_eq!(
        session.window.enter(get),
        format!(
            "WRITE> {get}\nError: The database postgresql://127.0.0.1:{{port}}/mas cannot be reached: \
             Connection refused (os error 111)\n  \
             help: Is PostgreSQL running there, and are host and port in the configuration right?\n"
        )
    );

    session.start();
    let locked = r#"users::get("alice").locked_at == ()"#;
    assert_eq!(
        session.window.enter(locked),
        format!("WRITE> {locked}\nWarning: the connection to the database was lost: connected again\ntrue\n")
    );
    session.window.press(super::CTRL_D);
    assert_eq!(session.window.end().1, 0);
}
