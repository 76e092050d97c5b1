//! The section `clients`: the OAuth 2.0 clients that MAS makes from the configuration. masctl only checks it.

use super::{
    keys::{self, Key, Kind, Need::Optional, Need::Required},
    section::Section,
    wrong,
};
use crate::error::Result;

/// How a client proves who it is, and thereby what it must have.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Proof {
    Nothing,
    Secret,
    Key,
}

const METHODS: [(&str, Proof); 5] = [
    ("none", Proof::Nothing),
    ("client_secret_basic", Proof::Secret),
    ("client_secret_post", Proof::Secret),
    ("client_secret_jwt", Proof::Secret),
    ("private_key_jwt", Proof::Key),
];

const KEYS: [Key; 8] = [
    Key("client_id", Kind::Ulid, Required),
    Key("client_name", Kind::Text, Optional),
    Key("client_uri", Kind::Url, Optional),
    Key("client_secret", Kind::Secret, Optional),
    Key("client_secret_file", Kind::SecretFile, Optional),
    Key("jwks", Kind::Mapping, Optional),
    Key("jwks_uri", Kind::Url, Optional),
    Key("redirect_uris", Kind::Urls, Optional),
];

/// What proves a client, under either of two keys.
const SECRETS: [&str; 2] = ["client_secret", "client_secret_file"];
const JWKS: [&str; 2] = ["jwks", "jwks_uri"];

/// How many clients the whole configuration has. `None` if it has no such section.
pub(super) fn check(top: &Section<'_>) -> Result<Option<usize>> {
    let Some(clients) = top.list("clients")? else {
        return Ok(None);
    };
    let each = top.every(clients.iter().map(client));
    keys::distinct(&clients, "client_id")?;
    each.map(|each| Some(each.len()))
}

fn client(section: &Section<'_>) -> Result<()> {
    let keys = keys::check(section, &KEYS);
    let exclusive = section.every([SECRETS, JWKS].map(|[inline, elsewhere]| section.exclusive(inline, &[elsewhere])));
    proof(section)?;
    keys.and(exclusive.map(drop))
}

fn proof(section: &Section<'_>) -> Result<()> {
    let proof = section.required_choice("client_auth_method", &METHODS)?;
    let method = section.glimpse("client_auth_method").unwrap_or_default();
    section
        .every([(SECRETS, Proof::Secret), (JWKS, Proof::Key)].map(|(keys, wanted)| {
            let given = keys.into_iter().find(|key| section.has(key));
            match given {
                None if wanted == proof => {
                    let help = format!("The method `{method}` needs {}.", wrong::either(keys));
                    Err(section.missing(keys[0], &help))
                }
                Some(key) if wanted != proof => Err(section.invalid(
                    key,
                    &format!("is not allowed with the method `{method}`"),
                    "Remove it, or choose the `client_auth_method` that it belongs to.",
                )),
                _ => Ok(()),
            }
        }))
        .map(drop)
}
