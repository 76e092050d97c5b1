//! The contract of `masctl::storage`: every test runs on both stores and compares whole values read back.

mod access_tokens;
mod clients;
mod devices;
mod emails;
mod embedded; // what only a SQLite file is and does
mod jobs;
mod links;
mod passwords;
mod personal_tokens;
mod plans; // how PostgreSQL finds what it is asked for
mod policy;
mod postgres; // what only a PostgreSQL server answers
mod providers;
mod queue;
mod registration_tokens;
mod schema;
mod session_lists;
mod sessions;
mod transactions;
mod user_descriptions;
mod user_filters;
mod username_starts; // what completion asks for
mod users;

/// A moment after the cast was made, to the microsecond.
const NOW: &str = "2024-05-01T12:00:00.000001+00:00";

/// The same moment as rows show it.
const NOW_SHOWN: &str = "2024-05-01T12:00:00.000001Z";

/// A later moment.
const LATER: &str = "2024-05-01T12:00:01+00:00";

/// Ids for rows that a test adds, in their order.
const NEW: [&str; 4] = [
    "01HWT60000000000000000000A",
    "01HWT60000000000000000000B",
    "01HWT60000000000000000000C",
    "01HWT60000000000000000000D",
];
