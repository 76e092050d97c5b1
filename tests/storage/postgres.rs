//! What a PostgreSQL server answers to those who come to it.

use std::net::TcpListener;

use masctl::{
    config::{Database as Target, Postgres},
    error::Code,
    storage,
};

use crate::support::postgres::{Database, LOCKED_OUT, server};

const LABEL: &str = "postgresql://db.example.com/mas";

fn settings(database: &str) -> Postgres {
    let server = server();
    Postgres {
        host: Some(server.host.clone()),
        port: Some(server.port),
        username: Some(server.username.clone()),
        password: server.password.clone().map(Into::into),
        database: Some(database.to_owned()),
        label: LABEL.to_owned(),
        ..Postgres::default()
    }
}

async fn refusal(settings: Postgres) -> (Code, String) {
    let error = storage::open(&Target::Postgres(Box::new(settings)))
        .await
        .expect_err("the server refuses it");
    (error.code(), error.message().to_owned())
}

#[tokio::test]
async fn parts_or_a_uri_name_the_database() {
    let database = Database::create("storage_named");
    let parts = settings(&database.name);
    drop(storage::open(&Target::Postgres(Box::new(parts.clone()))).await.unwrap());
    let user = match &server().password {
        Some(password) => format!("{}:{password}", server().username),
        None => server().username.clone(),
    };
    let uri = format!(
        "postgresql://{user}@{}:{}/{}",
        server().host,
        server().port,
        database.name
    );
    let by_uri = Postgres {
        uri: Some(uri.into()),
        ..Postgres::default()
    };
    drop(storage::open(&Target::Postgres(Box::new(by_uri))).await.unwrap());
    if let Some(folder) = &server().socket_folder {
        let by_socket = Postgres {
            host: None,
            socket: Some(folder.clone()),
            ..parts
        };
        drop(storage::open(&Target::Postgres(Box::new(by_socket))).await.unwrap());
    }
}

#[tokio::test]
async fn a_wrong_password_is_refused_in_postgresqls_own_words() {
    let database = Database::create("storage_password");
    let wrong = Postgres {
        username: Some(LOCKED_OUT.to_owned()),
        password: Some("a-wrong-secret".into()),
        ..settings(&database.name)
    };
    assert_eq!(
        refusal(wrong).await,
        (
            Code::DatabaseRefused,
            format!("password authentication failed for user \"{LOCKED_OUT}\"")
        )
    );
}

#[tokio::test]
async fn a_user_without_rights_is_refused() {
    let database = Database::create("storage_rights");
    let stranger = Postgres {
        username: Some(LOCKED_OUT.to_owned()),
        password: Some("right".into()),
        ..settings(&database.name)
    };
    assert_eq!(
        refusal(stranger).await,
        (
            Code::DatabaseRefused,
            "The database user locked_out lacks SELECT on _sqlx_migrations".to_owned()
        )
    );
}

#[tokio::test]
async fn a_database_that_is_not_there_is_refused() {
    assert_eq!(
        refusal(settings("masctl_nowhere")).await,
        (
            Code::DatabaseRefused,
            "database \"masctl_nowhere\" does not exist".to_owned()
        )
    );
}

#[tokio::test]
async fn a_server_that_is_not_there_is_unreachable() {
    let listener = TcpListener::bind(("127.0.0.1", 0)).unwrap();
    let port = listener.local_addr().unwrap().port();
    drop(listener);
    let nowhere = Postgres {
        host: Some("127.0.0.1".to_owned()),
        port: Some(port),
        ..settings("mas")
    };
    let (code, message) = refusal(nowhere).await;
    assert_eq!(code, Code::DatabaseUnreachable);
    let start = format!("The database {LABEL} cannot be reached: ");
    assert!(message.starts_with(&start), "{message}");
}

#[tokio::test]
async fn a_uri_that_is_none_is_not_shown() {
    let wrong = Postgres {
        uri: Some("postgresql://alice:a-secret@[::x/mas".into()),
        ..Postgres::default()
    };
    assert_eq!(
        refusal(wrong).await,
        (
            Code::ConfigInvalid,
            "`database.uri` is not a PostgreSQL connection string".to_owned()
        )
    );
}

#[tokio::test]
async fn a_certificate_that_is_not_there_is_named_where_no_connection_comes_about() {
    let missing = Postgres {
        ssl_mode: Some(masctl::config::SslMode::VerifyFull),
        ssl_ca: Some(masctl::config::Pem::File("/nowhere/ca.pem".into())),
        ..settings("mas")
    };
    let said = "`/nowhere/ca.pem` (`database.ssl_ca_file`) cannot be read: No such file or directory (os error 2)";
    assert_eq!(refusal(missing).await, (Code::FileUnreadable, said.to_owned()));
}
