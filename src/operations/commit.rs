//! The end of a transaction: its commit, also where the database's answer to it is lost.

use std::time::{Duration, Instant};

use super::{Change, Run};
use crate::{
    error::{Code, Error, Result},
    storage::{self, Connection, Fate, TransactionId},
};

/// How long to ask a database that has cut the connection what became of the commit: a restart fits into it.
const PATIENCE: Duration = Duration::from_secs(15);

/// How long to wait between two attempts.
const PAUSE: Duration = Duration::from_millis(200);

/// The most changes that the message of an unknown commit names.
const MOST_NAMED: usize = 3;

/// Commits. If the answer is lost, the database is asked on a new connection, which then takes the place of the old
/// one.
///
/// # Errors
/// `commit.unknown` if the database cannot be asked, or does not know; else why nothing was committed.
pub(super) async fn commit(run: &Run, mut connection: Connection, changes: &[Change]) -> Result<Connection> {
    let lost = match connection.commit().await {
        Ok(()) => return Ok(connection),
        Err(error) if error.code() == Code::CommitUnknown => error,
        Err(error) => return Err(error),
    };
    let Some(transaction) = connection.transaction() else {
        return Err(lost);
    };
    let asked = tokio::time::timeout(PATIENCE, run.unless_interrupted(ask(run, transaction))).await;
    match asked {
        Ok(Ok((connection, Fate::Committed))) => {
            run.console()
                .warn("the connection was lost during COMMIT; the database says that it went through");
            Ok(connection)
        }
        Ok(Ok((_, Fate::RolledBack))) => Err(Error::new(
            Code::DatabaseLost,
            "The connection was lost during COMMIT, and the database took it back: nothing was changed",
        )
        .help("Run it again.")),
        _ => Err(unknown(lost, transaction, changes)),
    }
}

/// Asks until the database answers for certain.
async fn ask(run: &Run, transaction: TransactionId) -> Result<(Connection, Fate)> {
    loop {
        match fate(run, transaction).await {
            Ok((_, Fate::Unknown)) => {}
            Ok(found) => return Ok(found),
            Err(error) => tracing::debug!(%error, "asking what became of the commit"),
        }
        tokio::time::sleep(PAUSE).await;
    }
}

async fn fate(run: &Run, transaction: TransactionId) -> Result<(Connection, Fate)> {
    let mut connection = storage::connect(run.database()).await?;
    let fate = connection.fate(transaction).await?;
    Ok((connection, fate))
}

fn unknown(lost: Error, transaction: TransactionId, changes: &[Change]) -> Error {
    let mut doubtful: Vec<_> = changes
        .iter()
        .take(MOST_NAMED)
        .map(|change| change.sentence(true).replacen("Would ", "", 1))
        .collect();
    if changes.len() > MOST_NAMED {
        doubtful.push("…".to_owned());
    }
    let help = format!(
        "Once the database can be reached, ask it: `SELECT txid_status({transaction})` says `committed` or `aborted`. In doubt: {}.",
        doubtful.join(", ")
    );
    lost.help(help)
        .data("transaction", transaction.number())
        .data("changes", serde_json::to_value(changes).unwrap_or_default())
}

/// A new connection after the commit, in place of one that was lost: a restart of the database is waited for. After
/// Ctrl-C it is tried once.
///
/// # Errors
/// Those of opening the store.
pub(super) async fn reconnect(run: &Run) -> Result<Connection> {
    let started = Instant::now();
    loop {
        let error = match storage::open(run.database()).await {
            Ok(connection) => return Ok(connection),
            Err(error) => error,
        };
        if run.is_interrupted() || started.elapsed() >= PATIENCE {
            return Err(error);
        }
        tokio::time::sleep(PAUSE).await;
    }
}
