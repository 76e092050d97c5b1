//! What masctl's statements need of MAS's tables. It is checked on a database that a newer MAS has migrated, and told
//! to an operator whose database user lacks a right.
//!
//! The tests of the storage run as a user who has these rights on these columns and no others: a statement that needs
//! more is refused there ("permission denied") until it is written down here.

/// What a user of the database may do with a table.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Right {
    /// Read rows; also what a statement compares, and what RETURNING gives back.
    Select,
    /// Add rows.
    Insert,
    /// Change rows, or lock them.
    Update,
    /// Remove rows.
    Delete,
}

/// What masctl needs of one table.
#[derive(Clone, Copy, Debug)]
pub struct Need {
    /// The table's name.
    pub table: &'static str,
    /// The rights on it.
    pub rights: &'static [Right],
    /// The columns that the statements name.
    pub columns: &'static [&'static str],
}

const READ: &[Right] = &[Right::Select];
const ADD: &[Right] = &[Right::Select, Right::Insert];
const CHANGE: &[Right] = &[Right::Select, Right::Update];
const ADD_AND_CHANGE: &[Right] = &[Right::Select, Right::Insert, Right::Update];
const REMOVE: &[Right] = &[Right::Select, Right::Delete];
const ADD_AND_REMOVE: &[Right] = &[Right::Select, Right::Insert, Right::Delete];
const ALL: &[Right] = &[Right::Select, Right::Insert, Right::Update, Right::Delete];

/// Every table that a statement names, in the order of their names.
pub const NEEDS: &[Need] = &[
    Need {
        table: "_sqlx_migrations",
        rights: READ,
        columns: &["version"],
    },
    Need {
        table: "compat_access_tokens",
        rights: ADD_AND_CHANGE,
        columns: &[
            "compat_access_token_id",
            "compat_session_id",
            "access_token",
            "created_at",
            "expires_at",
        ],
    },
    Need {
        table: "compat_refresh_tokens",
        rights: CHANGE,
        columns: &[
            "compat_session_id",
            "compat_access_token_id",
            "refresh_token",
            "consumed_at",
        ],
    },
    Need {
        table: "compat_sessions",
        rights: ADD_AND_CHANGE,
        columns: &[
            "compat_session_id",
            "user_id",
            "device_id",
            "created_at",
            "is_synapse_admin",
            "finished_at",
            "last_active_at",
            "last_active_ip",
            "user_agent",
            "human_name",
        ],
    },
    Need {
        table: "oauth2_access_tokens",
        rights: READ,
        columns: &["oauth2_session_id", "access_token"],
    },
    Need {
        table: "oauth2_clients",
        rights: READ,
        columns: &[
            "oauth2_client_id",
            "client_name",
            "is_static",
            "application_type",
            "client_uri",
            "redirect_uris",
            "grant_type_authorization_code",
            "grant_type_refresh_token",
            "grant_type_client_credentials",
            "grant_type_device_code",
            "token_endpoint_auth_method",
            "created_at",
        ],
    },
    Need {
        table: "oauth2_refresh_tokens",
        rights: READ,
        columns: &["oauth2_session_id", "refresh_token"],
    },
    Need {
        table: "oauth2_sessions",
        rights: CHANGE,
        columns: &[
            "oauth2_session_id",
            "user_id",
            "oauth2_client_id",
            "scope_list",
            "created_at",
            "finished_at",
            "last_active_at",
            "last_active_ip",
            "user_agent",
            "human_name",
        ],
    },
    Need {
        table: "personal_access_tokens",
        rights: ADD_AND_CHANGE,
        columns: &[
            "personal_access_token_id",
            "personal_session_id",
            "access_token_sha256",
            "created_at",
            "expires_at",
            "revoked_at",
        ],
    },
    Need {
        table: "personal_sessions",
        rights: ADD_AND_CHANGE,
        columns: &[
            "personal_session_id",
            "owner_user_id",
            "owner_oauth2_client_id",
            "actor_user_id",
            "human_name",
            "scope_list",
            "created_at",
            "revoked_at",
            "last_active_at",
            "last_active_ip",
        ],
    },
    Need {
        table: "policy_data",
        rights: ADD,
        columns: &["policy_data_id", "created_at", "data"],
    },
    Need {
        table: "queue_jobs",
        rights: ADD_AND_CHANGE,
        columns: &[
            "queue_job_id",
            "queue_name",
            "payload",
            "metadata",
            "created_at",
            "status",
            "attempt",
            "scheduled_at",
            "started_at",
            "started_by",
            "completed_at",
            "failed_at",
            "failed_reason",
            "next_attempt_id",
            "schedule_name",
        ],
    },
    Need {
        table: "queue_workers",
        rights: ADD_AND_CHANGE,
        columns: &["queue_worker_id", "registered_at", "last_seen_at", "shutdown_at"],
    },
    Need {
        table: "upstream_oauth_authorization_sessions",
        rights: CHANGE,
        columns: &["upstream_oauth_link_id", "unlinked_at"],
    },
    Need {
        table: "upstream_oauth_links",
        rights: ALL,
        columns: &[
            "upstream_oauth_link_id",
            "upstream_oauth_provider_id",
            "user_id",
            "subject",
            "human_account_name",
            "created_at",
        ],
    },
    Need {
        table: "upstream_oauth_providers",
        rights: READ,
        columns: &[
            "upstream_oauth_provider_id",
            "human_name",
            "brand_name",
            "issuer",
            "scope",
            "created_at",
            "disabled_at",
            "ui_order",
        ],
    },
    Need {
        table: "user_emails",
        rights: ADD_AND_REMOVE,
        columns: &["user_email_id", "user_id", "email", "created_at"],
    },
    Need {
        table: "user_passwords",
        rights: ADD_AND_REMOVE,
        columns: &[
            "user_password_id",
            "user_id",
            "hashed_password",
            "version",
            "created_at",
        ],
    },
    Need {
        table: "user_registration_tokens",
        rights: ADD_AND_CHANGE,
        columns: &[
            "user_registration_token_id",
            "token",
            "usage_limit",
            "times_used",
            "created_at",
            "last_used_at",
            "expires_at",
            "revoked_at",
        ],
    },
    Need {
        table: "user_sessions",
        rights: CHANGE,
        columns: &[
            "user_session_id",
            "user_id",
            "created_at",
            "finished_at",
            "last_active_at",
            "last_active_ip",
            "user_agent",
        ],
    },
    Need {
        table: "user_terms",
        rights: READ,
        columns: &["user_terms_id", "user_id", "terms_url", "created_at"],
    },
    Need {
        table: "user_unsupported_third_party_ids",
        rights: REMOVE,
        columns: &["user_id", "medium", "address", "created_at"],
    },
    Need {
        table: "users",
        rights: ADD_AND_CHANGE,
        columns: &[
            "user_id",
            "username",
            "created_at",
            "locked_at",
            "deactivated_at",
            "can_request_admin",
            "is_guest",
        ],
    },
];

/// Every table with one of its columns, one pair for each column.
pub(super) fn columns() -> (Vec<&'static str>, Vec<&'static str>) {
    let pairs = NEEDS
        .iter()
        .flat_map(|need| need.columns.iter().map(|column| (need.table, *column)));
    pairs.unzip()
}

/// Every table with one of its rights, one pair for each right.
pub(in crate::storage) fn rights() -> (Vec<&'static str>, Vec<&'static str>) {
    let pairs = NEEDS
        .iter()
        .flat_map(|need| need.rights.iter().map(|right| (need.table, right.as_str())));
    pairs.unzip()
}

impl Right {
    /// Its name in SQL.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Select => "SELECT",
            Self::Insert => "INSERT",
            Self::Update => "UPDATE",
            Self::Delete => "DELETE",
        }
    }
}

#[cfg(test)]
mod tests {
    use std::{collections::HashSet, fs, path::Path};

    use super::*;

    #[test]
    fn tables_are_in_order_and_columns_are_mas_s() {
        assert!(NEEDS.is_sorted_by_key(|need| need.table));
        let catalogue: HashSet<(&str, &str)> = include_str!("../../../tests/fixtures/mas/schema.tsv")
            .lines()
            .filter_map(|line| {
                let mut parts = line.split('\t');
                Some((parts.next()?, parts.next()?))
            })
            .collect();
        let (tables, columns) = columns();
        for pair in tables.into_iter().zip(columns) {
            assert!(catalogue.contains(&pair), "{pair:?}");
        }
    }

    /// What no statement names any more is not asked of a database.
    #[test]
    fn statements_name_every_table_and_column() {
        let own = Path::new(env!("CARGO_MANIFEST_DIR")).join("src/storage/schema");
        let mut folders = vec![own.parent().unwrap().to_owned()];
        let mut sources = include_str!("mod.rs").to_owned();
        while let Some(folder) = folders.pop() {
            for entry in fs::read_dir(folder).unwrap() {
                let path = entry.unwrap().path();
                if path.is_file() {
                    sources.push_str(&fs::read_to_string(path).unwrap());
                } else if path != own {
                    folders.push(path);
                }
            }
        }
        let is_part = |character: char| character.is_ascii_alphanumeric() || character == '_';
        let words: HashSet<&str> = sources.split(|character| !is_part(character)).collect();
        for need in NEEDS {
            for name in need.columns.iter().chain([&need.table]) {
                assert!(words.contains(name), "{}: {name}", need.table);
            }
        }
    }
}
