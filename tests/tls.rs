//! PostgreSQL over TLS, through the real binary, to a server that refuses what is not encrypted.

use rstest::rstest;

use crate::support::{
    guarded::{CERTIFIED, Certificate, DATABASE, ENCRYPTED, HOST, PASSWORD, guarded},
    postgres::{Database, server},
    sandbox::Sandbox,
};

/// The address of the server that is not in its certificate.
const ADDRESS: &str = "127.0.0.1";

/// A sandbox with the certificates as files.
fn sandbox() -> Sandbox {
    let guarded = guarded();
    let sandbox = Sandbox::new();
    sandbox.write("ca.pem", &guarded.authority);
    sandbox.write("stranger.pem", &guarded.stranger);
    sandbox.write("empty.pem", "");
    for (name, Certificate { certificate, key }) in [("client", &guarded.client), ("forged", &guarded.forged)] {
        sandbox.write(&format!("{name}.pem"), certificate);
        sandbox.write(&format!("{name}.key"), key);
    }
    sandbox
}

/// What masctl says to the role that comes to the host with `options` of the section `database`, without its log.
fn answer(role: &str, host: &str, options: &str) -> String {
    let (sandbox, port) = (sandbox(), guarded().port);
    sandbox.write(
        "config.yaml",
        &format!(
            "database:\n  host: {host}\n  port: {port}\n  username: {role}\n  password: {PASSWORD}\n  \
             database: {DATABASE}\n{options}"
        ),
    );
    said(&sandbox).replace(&format!(":{port}"), ":5432")
}

fn said(sandbox: &Sandbox) -> String {
    let output = sandbox
        .masctl(1)
        .args(["manage", "list-admin-users", "--format", "ids"])
        .env("RUST_LOG", "trace")
        .output()
        .expect("masctl runs");
    let all = [output.stdout, output.stderr].concat();
    let all = String::from_utf8_lossy(&all);
    assert!(!all.contains(PASSWORD) && !all.contains("PRIVATE KEY"), "{all}");
    let is_logged = |line: &&str| line.starts_with("20");
    let shown: Vec<&str> = all.lines().filter(|line| !is_logged(line)).collect();
    shown.join("\n").replace(&sandbox.path().display().to_string(), "~")
}

/// Options of the section `database`, one each line.
fn options(text: &str) -> String {
    format!("  {}\n", text.replace(", ", "\n  "))
}

#[rstest]
#[case::its_name(ENCRYPTED, HOST, "ssl_mode: verify-full, ssl_ca_file: ca.pem")]
#[case::its_address(ENCRYPTED, ADDRESS, "ssl_mode: verify-ca, ssl_ca_file: ca.pem")]
#[case::any_certificate(ENCRYPTED, ADDRESS, "ssl_mode: require")]
#[case::by_default(ENCRYPTED, ADDRESS, "connect_timeout: 30")]
#[case::an_unneeded_certificate(
    ENCRYPTED,
    HOST,
    "ssl_mode: verify-full, ssl_ca_file: ca.pem, ssl_certificate_file: client.pem, ssl_key_file: client.key"
)]
#[case::a_needed_certificate(
    CERTIFIED,
    HOST,
    "ssl_mode: verify-full, ssl_ca_file: ca.pem, ssl_certificate_file: client.pem, ssl_key_file: client.key"
)]
fn is_let_in(#[case] role: &str, #[case] host: &str, #[case] tls: &str) {
    assert_eq!(answer(role, host, &options(tls)), "alice");
}

#[test]
fn certificates_may_be_in_the_configuration_itself() {
    let guarded = guarded();
    let value = |pem: &str| format!("    {}\n", pem.trim().replace('\n', "\n    "));
    let tls = format!(
        "  ssl_mode: verify-full\n  ssl_ca: |\n{}  ssl_certificate: |\n{}  ssl_key: |\n{}",
        value(&guarded.authority),
        value(&guarded.client.certificate),
        value(&guarded.client.key)
    );
    assert_eq!(answer(CERTIFIED, HOST, &tls), "alice");
}

const AUTHORITY: &str = "Error: No TLS connection to postgresql://localhost:5432/mas: no trusted authority signed the \
                         server's certificate\n  help: `database.ssl_ca` or `database.ssl_ca_file` must hold the \
                         certificate of the authority that signed the server's.";

const ACCESS: &str = "  help: The server's `pg_hba.conf` decides by user, database, address, encryption and certificate. \
                      They come from the `database` section, the MAS_DATABASE_ and the PG variables.";

const PEM: &str = "  help: A certificate or key in PEM begins with `-----BEGIN `.";

const READABLE: &str = "  help: The file must be readable for this user. A relative path starts from the current \
                        folder.";

#[rstest]
#[case::another_authority(ENCRYPTED, "ssl_mode: verify-full, ssl_ca_file: stranger.pem", AUTHORITY)]
#[case::another_authority_and_any_name(ENCRYPTED, "ssl_mode: verify-ca, ssl_ca_file: stranger.pem", AUTHORITY)]
#[case::no_authority(ENCRYPTED, "ssl_mode: verify-full", AUTHORITY)]
#[case::not_encrypted(
    ENCRYPTED,
    "ssl_mode: disable",
    "Error: no pg_hba.conf entry for host \"127.0.0.1\", user \"encrypted\", database \"mas\", no encryption\n{ACCESS}"
)]
#[case::no_certificate(
    CERTIFIED,
    "ssl_mode: verify-full, ssl_ca_file: ca.pem",
    "Error: connection requires a valid client certificate\n{ACCESS}"
)]
#[case::key_of_another_certificate(
    CERTIFIED,
    "ssl_mode: verify-full, ssl_ca_file: ca.pem, ssl_certificate_file: client.pem, ssl_key_file: forged.key",
    "Error: No TLS connection to postgresql://localhost:5432/mas: `database.ssl_key` is not the key of \
     `database.ssl_certificate`\n  help: Give the certificate and the key that were made together."
)]
#[case::empty_authority(
    ENCRYPTED,
    "ssl_mode: verify-full, ssl_ca_file: empty.pem",
    "Error: `database.ssl_ca_file` names `~/empty.pem`, which holds no certificate\n{PEM}"
)]
#[case::missing_authority(
    ENCRYPTED,
    "ssl_mode: verify-full, ssl_ca_file: missing.pem",
    "Error: `~/missing.pem` (`database.ssl_ca_file`) cannot be read: No such file or directory (os error 2)\n{READABLE}"
)]
#[case::exchanged_files(
    CERTIFIED,
    "ssl_mode: verify-full, ssl_ca_file: ca.pem, ssl_certificate_file: client.key, ssl_key_file: client.pem",
    "Error: `database.ssl_certificate_file` names `~/client.key`, which holds no certificate\n{PEM}"
)]
#[case::empty_key(
    CERTIFIED,
    "ssl_mode: verify-full, ssl_ca_file: ca.pem, ssl_certificate_file: client.pem, ssl_key_file: empty.pem",
    "Error: `database.ssl_key_file` names `~/empty.pem`, which holds no private key\n{PEM}"
)]
fn is_told_why_not(#[case] role: &str, #[case] tls: &str, #[case] expected: &str) {
    let expected = expected
        .replace("{ACCESS}", ACCESS)
        .replace("{PEM}", PEM)
        .replace("{READABLE}", READABLE);
    assert_eq!(answer(role, HOST, &options(tls)), expected);
}

#[test]
fn a_forged_certificate_is_refused() {
    let tls = "ssl_mode: verify-full, ssl_ca_file: ca.pem, ssl_certificate_file: forged.pem, ssl_key_file: forged.key";
    let said = answer(CERTIFIED, HOST, &options(tls));
    let expected = "Error: No TLS connection to postgresql://localhost:5432/mas: the server refuses it (received fatal \
                    alert: DecryptError)\n  help: If the server asks for a certificate: do `database.ssl_certificate` and \
                    its key come from its authority?";
    // The server hangs up right after its answer: who writes at this moment does not get to read it.
    let hung_up = "Error: The database postgresql://localhost:5432/mas cannot be reached: ";
    assert!(said == expected || said.starts_with(hung_up), "{said}");
}

#[test]
fn verify_full_compares_the_name_of_the_host() {
    let expected = "Error: No TLS connection to postgresql://127.0.0.1:5432/mas: invalid peer certificate: certificate not \
                    valid for name \"127.0.0.1\"; certificate is only valid for DnsName(\"localhost\")\n  help: \
                    `database.host` must be a name in the server's certificate; `ssl_mode: verify-ca` does not compare it.";
    let tls = options("ssl_mode: verify-full, ssl_ca_file: ca.pem");
    assert_eq!(answer(ENCRYPTED, ADDRESS, &tls), expected);
}

#[test]
fn a_server_without_tls_is_not_spoken_to_where_it_is_asked_for() {
    let (database, server, sandbox) = (Database::create("no_tls"), server(), sandbox());
    let password = server
        .password
        .as_ref()
        .map(|password| format!("  password: {password}\n"));
    sandbox.write(
        "config.yaml",
        &format!(
            "database:\n  host: {}\n  port: {}\n  username: {}\n{}  database: {}\n  ssl_mode: require\n",
            server.host,
            server.port,
            server.username,
            password.unwrap_or_default(),
            database.name
        ),
    );
    let label = format!("postgresql://{}:{}/{}", server.host, server.port, database.name);
    let expected = format!(
        "Error: No TLS connection to {label}: server does not support TLS\n  help: See `database.ssl_mode` in the \
         configuration."
    );
    assert_eq!(said(&sandbox), expected);
}
