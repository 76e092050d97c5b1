//! Database errors as masctl's: one clear sentence each, and never a connection string.

use std::{fmt::Display, io};

use rustls::{CertificateError, Error as Handshake};
use sqlx::error::DatabaseError;

use crate::error::{Code, Error};

/// An error that a statement ended in.
pub(super) fn of_statement(error: sqlx::Error) -> Error {
    match error {
        sqlx::Error::Database(answer) => of_answer(answer.as_ref()),
        sqlx::Error::Io(_) | sqlx::Error::Tls(_) | sqlx::Error::Protocol(_) | sqlx::Error::WorkerCrashed => {
            Error::new(Code::DatabaseLost, "The connection to the database was lost").caused_by(error)
        }
        other => Error::new(Code::DatabaseFailed, "The database's answer was not understood").caused_by(other),
    }
}

/// An error that connecting ended in. `label` names the database without its user and password.
pub(super) fn of_connecting(error: sqlx::Error, label: &str) -> Error {
    match error {
        sqlx::Error::Database(answer) => of_answer(answer.as_ref()).data("store", label),
        sqlx::Error::Io(cause) => match handshake(&cause) {
            Some(handshake) => of_handshake(handshake, label),
            None => Error::new(
                Code::DatabaseUnreachable,
                format!("The database {label} cannot be reached: {cause}"),
            )
            .help("Is PostgreSQL running there, and are host and port in the configuration right?"),
        },
        sqlx::Error::Tls(cause) => match cause.downcast_ref() {
            Some(handshake) => of_handshake(handshake, label),
            None => no_tls(label, cause).help("See `database.ssl_mode` in the configuration."),
        },
        // What a server of another protocol answers.
        sqlx::Error::Protocol(cause) => Error::new(
            Code::DatabaseUnreachable,
            format!("{label} does not answer as PostgreSQL does: {}", in_short(&cause)),
        )
        .help("Do host and port in the configuration lead to PostgreSQL?"),
        other => Error::new(Code::DatabaseUnreachable, format!("No connection to {label}: {other}"))
            .help("See the `database` section, the MAS_DATABASE_ and the PG variables."),
    }
}

/// Without the place in the driver's source.
fn in_short(cause: &str) -> &str {
    cause.split(" (sqlx").next().unwrap_or_default()
}

fn handshake(cause: &io::Error) -> Option<&Handshake> {
    cause.get_ref()?.downcast_ref()
}

fn of_handshake(handshake: &Handshake, label: &str) -> Error {
    const AUTHORITY: &str = "`database.ssl_ca` or `database.ssl_ca_file` must hold the certificate of the authority that \
                             signed the server's.";
    match handshake {
        // The latter is what an authority of the same name comes to.
        Handshake::InvalidCertificate(CertificateError::UnknownIssuer | CertificateError::BadSignature) => {
            no_tls(label, "no trusted authority signed the server's certificate").help(AUTHORITY)
        }
        Handshake::InvalidCertificate(
            CertificateError::NotValidForName | CertificateError::NotValidForNameContext { .. },
        ) => no_tls(label, handshake).help(
            "`database.host` must be a name in the server's certificate; `ssl_mode: verify-ca` does not compare it.",
        ),
        Handshake::InvalidCertificate(_) => no_tls(label, handshake).help("See the server's certificate."),
        Handshake::InconsistentKeys(_) => {
            no_tls(label, "`database.ssl_key` is not the key of `database.ssl_certificate`")
                .help("Give the certificate and the key that were made together.")
        }
        Handshake::AlertReceived(_) => no_tls(label, format!("the server refuses it ({handshake})")).help(
            "If the server asks for a certificate: do `database.ssl_certificate` and its key come from its authority?",
        ),
        _ => no_tls(label, handshake).help("See `database.ssl_mode` in the configuration."),
    }
}

fn no_tls(label: &str, problem: impl Display) -> Error {
    Error::new(
        Code::DatabaseUnreachable,
        format!("No TLS connection to {label}: {problem}"),
    )
}

/// What the database itself answered, told apart by SQLSTATE or SQLite's result code.
pub(super) fn of_answer(answer: &dyn DatabaseError) -> Error {
    let state = answer.code();
    let state = state.as_deref().unwrap_or_default();
    let message = answer.message();
    let failed = |code: Code| Error::new(code, message).data("sqlstate", state);
    match state {
        "28P01" => failed(Code::DatabaseRefused)
            .help("User and password come from the `database` section, the MAS_DATABASE_ and the PG variables."),
        // No such role, one that may not log in, no line in `pg_hba.conf`, no client certificate.
        "28000" if message.starts_with("role ") => failed(Code::DatabaseRefused).help(
            "The user comes from the `database` section, the MAS_DATABASE_ and the PG variables, else it is yours on this \
             machine. It must be a role of the server that may log in.",
        ),
        "28000" => failed(Code::DatabaseRefused).help(
            "The server's `pg_hba.conf` decides by user, database, address, encryption and certificate. They come from the \
             `database` section, the MAS_DATABASE_ and the PG variables.",
        ),
        "3D000" => failed(Code::DatabaseRefused).help(
            "`database.uri` or `database.database` in the configuration names the database; without, it is called as \
             the user.",
        ),
        "42501" => failed(Code::DatabaseRefused)
            .help("The database user lacks a right; run masctl as the user that MAS connects as."),
        "42P01" | "42703" => failed(Code::SchemaMissing),
        "25006" => read_only().data("sqlstate", state),
        // No server answers this to a client that speaks its protocol.
        "08P01" if message.ends_with("_timeout") => failed(Code::DatabasePooled).help(
            "A pooler answers this, which waited in vain for a session on the server: see its log, and its \
             `default_pool_size`. MAS needs several.",
        ),
        "08P01" => failed(Code::DatabasePooled).help(
            "A pooler answers this; PgBouncer needs `pool_mode = session` and \
             `ignore_startup_parameters = extra_float_digits`.",
        ),
        "26000" | "42P05" => pooled(format!(
            "A pooler in transaction mode mixes up the statements: {message}"
        ))
        .data("sqlstate", state),
        // Deadlock, lock timeout, serialization failure, statement timeout.
        "40P01" | "55P03" | "40001" | "57014" => busy(message),
        state if is_sqlite_busy(state) => busy(message),
        "25P02" => failed_before(),
        "57P01" | "57P02" | "57P03" | "25P03" | "57P05" => Error::new(
            Code::DatabaseLost,
            format!("The database ended the connection: {message}"),
        ),
        "53300" => failed(Code::DatabaseUnreachable).help("The database has no free connection slot."),
        _ => failed(Code::DatabaseFailed),
    }
}

/// Whether a result code of SQLite says that another connection holds a lock: `SQLITE_BUSY` and its extended codes.
pub(super) fn is_sqlite_busy(code: &str) -> bool {
    matches!(code, "5" | "261" | "517" | "773")
}

/// PostgreSQL refuses every statement after one that failed, until the savepoint or the transaction is taken back.
fn failed_before() -> Error {
    Error::new(
        Code::DatabaseFailed,
        "Nothing was changed: an earlier statement of the transaction failed",
    )
}

/// The error that the server does not write.
#[must_use]
pub fn read_only() -> Error {
    Error::new(
        Code::DatabaseReadOnly,
        "The server is a standby, or set to be read-only",
    )
    .help("`database` in the configuration must name the primary.")
}

/// The error that a pooler lends its sessions for a transaction only. MAS itself does not work behind one.
#[must_use]
pub fn pooled(message: String) -> Error {
    Error::new(Code::DatabasePooled, message).help(
        "PgBouncer and the like must pool by session for MAS and masctl (`pool_mode = session`), \
         or be passed by: connect to PostgreSQL itself.",
    )
}

fn busy(message: &str) -> Error {
    Error::new(
        Code::DatabaseBusy,
        format!("Somebody else held a lock on the same rows for too long: {message}"),
    )
    .help("Nothing was changed; run it again.")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_server_of_another_protocol_is_told_from_a_database() {
        let cause = "unexpected response from SSLRequest: 0x48 (sqlx_postgres::connection::tls:95)";
        let error = of_connecting(sqlx::Error::Protocol(cause.to_owned()), "postgresql://db/mas");
        assert_eq!(error.code(), Code::DatabaseUnreachable);
        assert_eq!(
            error.message(),
            "postgresql://db/mas does not answer as PostgreSQL does: unexpected response from SSLRequest: 0x48"
        );
    }
}
