//! Data of MAS's policy.

use masctl::{
    error::Code,
    model::PolicyData,
    storage::policy::{policy, policy_add, policy_latest},
};
use rstest::rstest;
use serde_json::{Value, json};

use super::{LATER, NEW, NOW, NOW_SHOWN};
use crate::support::{
    cast::{id, time},
    specimen::Specimen,
    store::Store,
};

fn expected(ulid: &str, data: &Value) -> PolicyData {
    PolicyData {
        id: id(ulid),
        created_at: time(NOW),
        data: data.clone(),
    }
}

#[rstest]
#[tokio::test]
async fn the_newest_is_in_force_and_all_are_found(#[values(Store::Sqlite, Store::Postgres)] kind: Store) {
    let mut specimen = Specimen::create(kind).await;
    let store = &mut specimen.connection;
    assert_eq!(policy_latest(store).await.unwrap(), None);
    assert_eq!(policy(store, id(NEW[0])).await.unwrap(), None);
    let hostile = json!({"é'\"": [1, 2.5, null, true, "\u{1b}"], "empty": {}});
    for (ulid, data) in [(NEW[1], &hostile), (NEW[0], &json!({}))] {
        let added = policy_add(store, id(ulid), data, time(NOW)).await.unwrap();
        assert_eq!(added, expected(ulid, data));
        // The newest is that of the greatest id, whatever was added last.
        assert_eq!(policy_latest(store).await.unwrap(), Some(expected(NEW[1], &hostile)));
        assert_eq!(policy(store, id(ulid)).await.unwrap(), Some(added));
    }
    let again = policy_add(store, id(NEW[0]), &json!({}), time(LATER)).await;
    assert_eq!(again.unwrap_err().code(), Code::DatabaseFailed);
    let rows = "SELECT policy_data_id, created_at, data FROM policy_data WHERE policy_data_id = ";
    assert_eq!(
        specimen.rows(&format!("{rows} {{ulid:{}}}", NEW[0])),
        [format!("{} | {NOW_SHOWN} | {{}}", NEW[0])]
    );
}

#[rstest]
#[tokio::test]
async fn what_is_too_long_or_no_json_is_an_error(#[values(Store::Sqlite, Store::Postgres)] kind: Store) {
    let mut specimen = Specimen::create(kind).await;
    let huge = json!({"a": "x".repeat(4 << 20)});
    specimen.seed(&format!(
        "INSERT INTO policy_data (policy_data_id, created_at, data) VALUES ({{ulid:{}}}, '{NOW}', '{huge}')",
        NEW[0]
    ));
    let error = policy_latest(&mut specimen.connection).await.unwrap_err();
    assert_eq!(error.code(), Code::PolicyInvalid);
    assert_eq!(
        error.message(),
        format!(
            "The policy data {} cannot be read: it is longer than 4194304 characters",
            NEW[0]
        )
    );
    if kind == Store::Sqlite {
        specimen.seed("UPDATE policy_data SET data = '{'");
        let error = policy(&mut specimen.connection, id(NEW[0])).await.unwrap_err();
        assert_eq!(
            error.message(),
            format!(
                "The policy data {} cannot be read: it is no JSON: EOF while parsing an object at line 1 column 1",
                NEW[0]
            )
        );
    }
}
