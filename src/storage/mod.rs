//! The only place with SQL. One file per resource; `dialect.rs` holds the statements that differ between the two
//! databases as a whole.
//!
//! Functions are named resource first, and take the connection first. They know rows, not rules: what must be written
//! together is decided in `operations`.

pub mod access_tokens;
mod certificates;
pub mod clients;
mod connection;
pub mod devices;
pub mod diagnosis;
mod dialect;
pub mod emails;
mod embedded;
mod failure;
pub mod fixtures;
pub mod jobs;
pub mod links;
pub mod passwords;
pub mod personal_tokens;
pub mod policy;
pub mod pooling;
mod postgres;
pub mod providers;
pub mod queue;
pub mod registration_tokens;
pub mod rights;
pub mod schema;
mod select;
pub mod sessions;
mod transaction;
pub mod unattended;
pub mod users;

pub use connection::{Access, Connection, connect, is_made, make_thrown_away, open, open_for, open_to_read};
pub use failure::{pooled, read_only};
pub use postgres::{Address, PostgresConnection, address};
pub use select::PAGE;
pub use transaction::{Fate, TransactionId, in_transaction};

/// Runs one statement, written once, on whichever database is behind the connection.
macro_rules! on {
    ($store:expr, |$connection:ident| $statement:expr) => {
        match $store {
            $crate::storage::Connection::Postgres($connection) => {
                $statement.await.map_err($crate::storage::failure::of_statement)
            }
            $crate::storage::Connection::Sqlite($connection) => {
                $statement.await.map_err($crate::storage::failure::of_statement)
            }
        }
    };
}
use on;

/// Runs one statement that gives no rows back, as [`on`] does, and returns how many rows it touched.
macro_rules! count {
    ($store:expr, $statement:expr) => {
        $crate::storage::on!($store, |connection| async {
            let done = $statement.execute(&mut **connection).await;
            done.map(|done| done.rows_affected())
        })
    };
}
use count;
