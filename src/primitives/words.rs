//! Values as people read them: what is said, and what is thrown.

use rhai::{Array, Dynamic, ImmutableString, Map};

use super::{
    Secret,
    fields::{DEEPEST, types},
    moment,
    secret::MASK,
};
use crate::{error::Error, model::Time};

/// A value as it is said: a text as it is, any other as a script would write it.
pub(super) fn words(value: &Dynamic) -> String {
    match value.read_lock::<ImmutableString>() {
        Some(text) => text.to_string(),
        None => written(value, DEEPEST),
    }
}

fn written(value: &Dynamic, depth: usize) -> String {
    let deeper = |item: &Dynamic| match depth.checked_sub(1) {
        Some(depth) => written(item, depth),
        None => "…".to_owned(),
    };
    if value.is::<Secret>() {
        return MASK.to_owned();
    }
    if let Some(time) = value.read_lock::<Time>() {
        return moment::text(*time);
    }
    if let Some(error) = value.read_lock::<Error>() {
        return error.message().to_owned();
    }
    if let Some(text) = value.read_lock::<ImmutableString>() {
        return format!("{:?}", text.as_str());
    }
    if let Some(items) = value.read_lock::<Array>() {
        let items: Vec<_> = items.iter().map(deeper).collect();
        return format!("[{}]", items.join(", "));
    }
    if let Some(fields) = value.read_lock::<Map>() {
        let fields: Vec<_> = fields
            .iter()
            .map(|(key, item)| format!("{key:?}: {}", deeper(item)))
            .collect();
        return format!("#{{{}}}", fields.join(", "));
    }
    type_of(value).unwrap_or_else(|| value.to_string())
}

/// What scripts call the type of a value that has fields, or is a list of such.
fn type_of(value: &Dynamic) -> Option<String> {
    let id = value.type_id();
    types().into_iter().find_map(|known| match () {
        () if known.id == id => Some(known.name.to_owned()),
        () if known.list_id == id => Some(format!("a list of {}", known.name)),
        () => None,
    })
}

#[cfg(test)]
mod tests {
    use secrecy::SecretString;

    use super::*;

    #[test]
    fn values_are_said_as_scripts_write_them_and_secrets_masked() {
        let secret = || Dynamic::from(Secret::given(SecretString::from("hunter2")));
        let map = Map::from_iter([("a b".into(), secret()), ("c".into(), Dynamic::from(1.5))]);
        let mut deep = Dynamic::UNIT;
        for _ in 0..200 {
            deep = vec![deep].into();
        }
        for (value, said) in [
            (Dynamic::from("a\"b"), "a\"b"),
            (secret(), "<secret>"),
            (Dynamic::UNIT, ""),
            (map.clone().into(), "#{\"a b\": <secret>, \"c\": 1.5}"),
            (vec![secret(), "x\"".into()].into(), "[<secret>, \"x\\\"\"]"),
            (Dynamic::from(map).into_shared(), "#{\"a b\": <secret>, \"c\": 1.5}"),
            (Dynamic::from(Time::UNIX_EPOCH), "1970-01-01T00:00:00Z"),
        ] {
            assert_eq!(words(&value), said);
        }
        assert!(words(&deep).contains("[…]"));
    }
}
