//! Which database is meant, and what is refused.

use secrecy::ExposeSecret;

use super::*;

fn postgres(configuration: &Configuration) -> Postgres {
    match configuration.database().unwrap() {
        Database::Postgres(postgres) => *postgres,
        other => panic!("{other:?}"),
    }
}

#[test]
fn with_nothing_configured_the_embedded_store_is_used() {
    let scene = Scene::new().variable("MAS_PASSWORDS_ENABLED", "true");
    let database = scene.load().database().unwrap();
    assert!(matches!(&database, Database::Embedded(_)), "{database:?}");
    assert_eq!(database.label(), "/home/alice/.local/share/masctl/masctl.db");
    assert_eq!(
        database.display(&scene.environment()),
        "~/.local/share/masctl/masctl.db"
    );
    assert_eq!(scene.load().server_name().unwrap(), "localhost");

    let scene = Scene::new().variable("XDG_DATA_HOME", "/data");
    assert_eq!(scene.load().database().unwrap().label(), "/data/masctl/masctl.db");
    assert_eq!(
        scene.load().database().unwrap().display(&scene.environment()),
        "/data/masctl/masctl.db"
    );
    let scene = Scene::new().variable("XDG_DATA_HOME", "data");
    assert_eq!(
        scene.load().database().unwrap().label(),
        "/home/alice/.local/share/masctl/masctl.db"
    );
    let scene = Scene::new().variable("HOME", "");
    let message = "There is no place for the embedded store: neither HOME nor XDG_DATA_HOME names a folder";
    expect(scene.load().database(), "store.unusable", message, None);
}

#[test]
fn anything_configured_rules_out_the_embedded_store() {
    assert_eq!(Scene::of("").load().database().unwrap().label(), "postgresql://");
    for (name, value, label) in [
        ("PGHOST", "db", "postgresql://db"),
        ("PGUSER", "bob", "postgresql:///bob"),
        ("PGDATA", "", "postgresql://"),
        ("MAS_MATRIX_SECRET", "x", "postgresql://"),
        ("MAS_DATABASE_HOST", "db", "postgresql://db"),
        ("MAS_DATABASE_URI", "postgres://u:p@db:5432/mas", "postgresql://db/mas"),
        ("DATABASE_URL", "postgresql://db/mas", "postgresql://db/mas"),
        ("DATABASE_URL", "sqlite:///x/y.db?mode=rw", "sqlite:///x/y.db"),
    ] {
        let database = Scene::new().variable(name, value).load().database().unwrap();
        assert_eq!(database.label(), label, "{name}");
    }
    let scene = Scene::of("").variable("DATABASE_URL", "postgresql://other/x");
    assert_eq!(scene.load().database().unwrap().label(), "postgresql://");
    let scene = Scene::new()
        .variable("DATABASE_URL", "postgresql://other/x")
        .variable("MAS_DATABASE_HOST", "db");
    assert_eq!(scene.load().database().unwrap().label(), "postgresql://db");
    let message = "`DATABASE_URL` is not a database URI (relative URL without a base)";
    let scene = Scene::new().variable("DATABASE_URL", "");
    expect(scene.load().database(), "config.invalid", message, None);
}

#[test]
fn postgres_is_given_by_uri() {
    for (uri, label) in [
        ("postgresql://", "postgresql://"),
        ("postgresql:///mas", "postgresql:///mas"),
        (
            "postgres://alice:hunter2@db.example.com:5433/mas?sslmode=require",
            "postgresql://db.example.com:5433/mas",
        ),
        ("postgresql://alice@%2Frun%2Fpg/mas", "postgresql://%2Frun%2Fpg/mas"),
        (
            "postgresql:///x?host=/run/pg&dbname=mas&port=1&user=u&password=hunter2",
            "postgresql://%2Frun%2Fpg:1/mas",
        ),
        ("postgresql://[::1]/mas", "postgresql://[::1]/mas"),
        ("postgresql://db/a%1Bb", "postgresql://db/a%1Bb"),
    ] {
        let configuration = Scene::of(&format!("database:\n  uri: {uri}\n  ssl_mode: verify-full\n")).load();
        let postgres = postgres(&configuration);
        assert_eq!(
            (postgres.label.as_str(), postgres.ssl_mode),
            (label, Some(SslMode::VerifyFull))
        );
        assert_eq!(postgres.uri.as_ref().unwrap().expose_secret(), uri);
        assert!(!format!("{postgres:?}").contains("hunter2"));
    }
}

#[test]
fn postgres_is_given_by_parts() {
    let scene = Scene::of(
        "database:\n  host: db\n  port: 5433\n  username: alice\n  password_file: pw\n  database: mas\n  \
         ssl_mode: require\n  ssl_ca_file: ca.pem\n  ssl_certificate: CERT\n  ssl_key_file: /key.pem\n",
    )
    .file("pw", " hunter2 \n");
    let postgres_of_parts = postgres(&scene.load());
    let password = postgres_of_parts
        .password
        .as_ref()
        .map(|password| password.expose_secret().to_owned());
    assert_eq!(password.as_deref(), Some("hunter2"));
    let expected = format!(
        "Postgres {{ uri: None, host: Some(\"db\"), port: Some(5433), socket: None, username: Some(\"alice\"), \
         password: Some(SecretBox<str>([REDACTED])), database: Some(\"mas\"), ssl_mode: Some(Require), \
         ssl_ca: Some(File({:?})), ssl_certificate: Some(Inline(SecretBox<str>([REDACTED]))), \
         ssl_key: Some(File(\"/key.pem\")), lock_timeout: 10s, statement_timeout: 60s, label: \"postgresql://db:5433/mas\" }}",
        scene.path("ca.pem")
    );
    assert_eq!(format!("{postgres_of_parts:?}"), expected);
    let socket = Scene::of("database: {socket: /var/run/postgresql, username: alice}").load();
    assert_eq!(postgres(&socket).label, "postgresql://%2Fvar%2Frun%2Fpostgresql/alice");
    assert_eq!(
        postgres(&Scene::of("database: {host: '::1'}").load()).label,
        "postgresql://[::1]"
    );
}

#[test]
fn masctls_own_limits_come_with_the_database() {
    let configuration = Scene::of("masctl: {lock_timeout: 2, statement_timeout: 30}").load();
    let postgres = postgres(&configuration);
    assert_eq!(
        (postgres.lock_timeout.as_secs(), postgres.statement_timeout.as_secs()),
        (2, 30)
    );
    let message = "`masctl.x` is no setting of masctl";
    let configuration = Scene::of("masctl: {x: 2}").load();
    expect(configuration.database(), "config.invalid", message, Some((1, 10)));
}

#[test]
fn sqlite_is_given_by_uri() {
    let scene = Scene::new();
    let here = scene.folder.path().display().to_string();
    for (uri, label) in [
        ("sqlite:///a/b.db", "sqlite:///a/b.db".to_owned()),
        ("sqlite:///a%20b.db?mode=rwc", "sqlite:///a b.db".to_owned()),
        ("sqlite://a.db", format!("sqlite://{here}/a.db")),
        ("sqlite:a.db", format!("sqlite://{here}/a.db")),
    ] {
        let environment = Environment::new([("MAS_DATABASE_URI", uri)], scene.folder.path());
        let configuration = Configuration::load(&[], &environment).unwrap();
        assert_eq!(configuration.database().unwrap().label(), label);
        assert_eq!(configuration.server_name().unwrap(), "localhost");
    }
    for uri in ["sqlite:", "sqlite://", "sqlite::memory:", "sqlite:%FF", "sqlite:?x"] {
        let configuration = Scene::new().variable("MAS_DATABASE_URI", uri).load();
        let message = "`database.uri` (variable MAS_DATABASE_URI) names no SQLite file";
        expect(configuration.database(), "config.invalid", message, None);
    }
}

#[test]
fn wrong_database_settings_are_refused_where_they_are() {
    let port = "must be a whole number from 1 to 65535, but is";
    for (yaml, message, place) in [
        ("5", "`database` must be a mapping, but is a number".to_owned(), (1, 1)),
        (
            "\n  host: a\n  port: abc",
            format!("`database.port` {port} the text `abc`"),
            (3, 3),
        ),
        ("\n  port: 0", format!("`database.port` {port} the number `0`"), (2, 3)),
        (
            "{port: 65536}",
            format!("`database.port` {port} the number `65536`"),
            (1, 12),
        ),
        (
            "\n  host: 5",
            "`database.host` must be text, but is the number `5`".to_owned(),
            (2, 3),
        ),
        (
            "\n  password: 12345",
            "`database.password` must be text, but is a number".to_owned(),
            (2, 3),
        ),
        (
            "\n  uri: mysql://db",
            "`database.uri` is neither a PostgreSQL nor an SQLite URI".to_owned(),
            (2, 3),
        ),
        (
            "\n  uri: 'postgresql://db:x/'",
            "`database.uri` is not a database URI (invalid port number)".to_owned(),
            (2, 3),
        ),
        (
            "\n  max_connections: 0",
            "`database.max_connections` must be a whole number from 1 to 4294967295, but is the number `0`".to_owned(),
            (2, 3),
        ),
        (
            "\n  idle_timeout: 10m",
            "`database.idle_timeout` must be a whole number, 0 or more, but is the text `10m`".to_owned(),
            (2, 3),
        ),
        (
            "\n  ssl_mode: yes",
            "`database.ssl_mode` is `yes`, which is not a value of it".to_owned(),
            (2, 3),
        ),
    ] {
        let configuration = Scene::of(&format!("database: {yaml}\n")).load();
        expect(configuration.database(), "config.invalid", &message, Some(place));
    }
    let error = Scene::of("database: {ssl_mode: x}").load().database().unwrap_err();
    let allowed = "Allowed are `disable`, `allow`, `prefer`, `require`, `verify-ca`, `verify-full`.";
    assert_eq!(error.help_text(), Some(allowed));
}

#[test]
fn a_wrong_variable_is_named() {
    let configuration = Scene::new().variable("MAS_MATRIX_SECRET", "12345").load();
    let message = "`matrix.secret` (variable MAS_MATRIX_SECRET) must be text, but is a number";
    let error = expect(configuration.matrix(), "config.invalid", message, None);
    let help = "To keep it text, put double quotes into the value: MAS_MATRIX_SECRET='\"…\"'.";
    assert_eq!(error.help_text(), Some(help));
    let configuration = Scene::new().variable("MAS_MATRIX_SECRET", "\"12345\"").load();
    assert_eq!(configuration.matrix().unwrap().secret.expose_secret(), "12345");
    let configuration = Scene::of("database:\n  uri: postgresql://\n")
        .variable("MAS_DATABASE_HOST", "db")
        .load();
    let error = configuration.database().unwrap_err();
    assert!(error.help_text().unwrap().contains("the variable MAS_DATABASE_HOST"));
}

#[test]
fn database_settings_that_exclude_or_need_each_other() {
    for (yaml, message, place) in [
        (
            "\n  uri: postgresql://\n  host: x",
            "`database.uri` and `database.host` exclude each other",
            (3, 3),
        ),
        (
            "\n  password: a\n  password_file: b",
            "`database.password` and `database.password_file` exclude each other",
            (3, 3),
        ),
        (
            "\n  ssl_ca: a\n  ssl_ca_file: b",
            "`database.ssl_ca` and `database.ssl_ca_file` exclude each other",
            (3, 3),
        ),
        (
            "\n  uri: postgresql://\n  username: u\n  password: p\n  port: 1",
            "`database.uri` excludes `database.port`, `database.username`, `database.password`",
            (5, 3),
        ),
        (
            "\n  ssl_key_file: a",
            "`database.ssl_key_file` needs `database.ssl_certificate` or `database.ssl_certificate_file` beside it",
            (2, 3),
        ),
    ] {
        let configuration = Scene::of(&format!("database: {yaml}\n")).load();
        expect(configuration.database(), "config.invalid", message, Some(place));
    }
}
