//! What many sentences say alike.

use crate::model::Time;

/// A moment for people, to the second.
pub(super) fn moment(time: Time) -> String {
    time.format("%Y-%m-%d %H:%M:%SZ").to_string()
}

/// Until when a token is valid.
pub(super) fn until(end: Option<Time>) -> String {
    end.map_or_else(
        || "does not expire".to_owned(),
        |end| format!("expires {}", moment(end)),
    )
}
