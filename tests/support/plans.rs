//! The plans that PostgreSQL makes for the statements that masctl really sends: the server tells them by `auto_explain`,
//! and the driver hands them on.

use std::{
    fmt::Debug,
    sync::{Arc, Mutex, PoisonError},
};

use masctl::storage::Connection;
use serde_json::Value;
use tracing::{
    Event, Metadata, Subscriber,
    field::{Field, Visit},
    span,
    subscriber::DefaultGuard,
};

use super::specimen::execute;

/// What the plans of this thread are heard by, until it is dropped.
pub(crate) struct Plans {
    heard: Arc<Mutex<Vec<String>>>,
    _guard: DefaultGuard,
}

impl Plans {
    /// Has the plan of every statement told that the connection of a superuser sends.
    pub(crate) async fn listen(connection: &mut Connection) -> Self {
        execute(
            connection,
            "LOAD 'auto_explain'; SET auto_explain.log_min_duration = 0; SET auto_explain.log_format = 'json'; \
             SET auto_explain.log_level = 'notice'",
        )
        .await;
        Self::hear()
    }

    /// Hears what the connections of this thread tell that were made to.
    pub(crate) fn hear() -> Self {
        let heard = Arc::default();
        let guard = tracing::subscriber::set_default(Ear(Arc::clone(&heard)));
        Self { heard, _guard: guard }
    }

    /// The statements since the last call, each with its plan.
    pub(crate) fn take(&self) -> Vec<(String, Value)> {
        let told = std::mem::take(&mut *self.heard.lock().unwrap_or_else(PoisonError::into_inner));
        let read = |message: String| {
            let start = message.find('{')?;
            let explained: Value = serde_json::from_str(&message[start..]).ok()?;
            Some((explained["Query Text"].as_str()?.to_owned(), explained["Plan"].clone()))
        };
        told.into_iter().filter_map(read).collect()
    }
}

/// The tables that a plan reads from their beginning to their end.
pub(crate) fn scanned(plan: &Value) -> Vec<String> {
    let mut tables = Vec::new();
    if plan["Node Type"] == "Seq Scan" {
        tables.push(plan["Relation Name"].as_str().unwrap_or_default().to_owned());
    }
    let parts = plan["Plans"].as_array().into_iter().flatten();
    tables.extend(parts.flat_map(scanned));
    tables
}

/// The indexes that a plan reads.
pub(crate) fn indexes(plan: &Value) -> Vec<String> {
    let mut names: Vec<String> = plan["Index Name"].as_str().map(str::to_owned).into_iter().collect();
    let parts = plan["Plans"].as_array().into_iter().flatten();
    names.extend(parts.flat_map(indexes));
    names
}

/// Hears what the driver hands on.
struct Ear(Arc<Mutex<Vec<String>>>);

impl Subscriber for Ear {
    fn enabled(&self, metadata: &Metadata<'_>) -> bool {
        metadata.target() == "sqlx::postgres::notice"
    }

    fn new_span(&self, _: &span::Attributes<'_>) -> span::Id {
        span::Id::from_u64(1)
    }

    fn record(&self, _: &span::Id, _: &span::Record<'_>) {}

    fn record_follows_from(&self, _: &span::Id, _: &span::Id) {}

    fn event(&self, event: &Event<'_>) {
        event.record(&mut Message(&mut self.0.lock().unwrap_or_else(PoisonError::into_inner)));
    }

    fn enter(&self, _: &span::Id) {}

    fn exit(&self, _: &span::Id) {}
}

struct Message<'heard>(&'heard mut Vec<String>);

impl Visit for Message<'_> {
    fn record_str(&mut self, field: &Field, value: &str) {
        if field.name() == "message" {
            self.0.push(value.to_owned());
        }
    }

    fn record_debug(&mut self, field: &Field, value: &dyn Debug) {
        if field.name() == "message" {
            self.0.push(format!("{value:?}"));
        }
    }
}
