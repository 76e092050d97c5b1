//! Data of MAS's policy that the database holds.

use serde_json::Value;

use super::{Id, Time};

/// What MAS's policy is given beside its configuration. The newest is in force.
#[derive(Clone, Debug, PartialEq, serde::Serialize)]
pub struct PolicyData {
    /// Its id.
    pub id: Id,
    /// When it was set.
    pub created_at: Time,
    /// The data, an object.
    pub data: Value,
}
