//! The section `upstream_oauth2`: the providers that people log in through. masctl only checks it; whom a link may
//! name, it reads from the database.

use super::{
    keys::{self, Key, Kind, Need::Optional, Need::Required},
    section::Section,
    wrong,
};
use crate::error::Result;

/// What MAS needs to prove to the provider who it is.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Proof {
    Nothing,
    Secret,
    /// A JWT that is signed with the secret.
    SecretJwt,
    /// A JWT that is signed with one of MAS's own keys.
    KeyJwt,
    Apple,
}

const METHODS: [(&str, Proof); 6] = [
    ("none", Proof::Nothing),
    ("client_secret_basic", Proof::Secret),
    ("client_secret_post", Proof::Secret),
    ("client_secret_jwt", Proof::SecretJwt),
    ("private_key_jwt", Proof::KeyJwt),
    ("sign_in_with_apple", Proof::Apple),
];

/// The discovery mode that does without an issuer.
const NO_DISCOVERY: &str = "disabled";

const KEYS: [Key; 27] = [
    Key("id", Kind::Ulid, Required),
    Key("enabled", Kind::Flag, Optional),
    Key("synapse_idp_id", Kind::Text, Optional),
    Key("issuer", Kind::Text, Optional),
    Key("human_name", Kind::Text, Optional),
    Key("brand_name", Kind::Text, Optional),
    Key("client_id", Kind::Text, Required),
    Key("client_secret", Kind::Secret, Optional),
    Key("client_secret_file", Kind::SecretFile, Optional),
    Key("token_endpoint_auth_signing_alg", Kind::Text, Optional),
    Key("id_token_signed_response_alg", Kind::Text, Optional),
    Key("scope", Kind::Text, Optional),
    Key(
        "discovery_mode",
        Kind::Word(&["oidc", "insecure", NO_DISCOVERY]),
        Optional,
    ),
    Key("pkce_method", Kind::Word(&["auto", "always", "never"]), Optional),
    Key("fetch_userinfo", Kind::Flag, Optional),
    Key("userinfo_signed_response_alg", Kind::Text, Optional),
    Key("authorization_endpoint", Kind::Url, Optional),
    Key("userinfo_endpoint", Kind::Url, Optional),
    Key("token_endpoint", Kind::Url, Optional),
    Key("jwks_uri", Kind::Url, Optional),
    Key("response_mode", Kind::Word(&["query", "form_post"]), Optional),
    Key("claims_imports", Kind::Mapping, Optional),
    Key("additional_authorization_parameters", Kind::Mapping, Optional),
    Key("forward_login_hint", Kind::Flag, Optional),
    Key(
        "on_backchannel_logout",
        Kind::Word(&["do_nothing", "logout_browser_only", "logout_all"]),
        Optional,
    ),
    Key("registration_token_required", Kind::Flag, Optional),
    Key("sign_in_with_apple", Kind::Mapping, Optional),
];

const APPLE: [Key; 4] = [
    Key("private_key_file", Kind::SecretFile, Optional),
    Key("private_key", Kind::Secret, Optional),
    Key("team_id", Kind::Text, Required),
    Key("key_id", Kind::Text, Required),
];

const SECRETS: [&str; 2] = ["client_secret", "client_secret_file"];
const APPLE_KEYS: [&str; 2] = ["private_key", "private_key_file"];

/// How many providers the whole configuration has. `None` if it has no such section.
pub(super) fn check(top: &Section<'_>) -> Result<Option<usize>> {
    let Some(section) = top.section("upstream_oauth2")? else {
        return Ok(None);
    };
    let Some(providers) = section.list("providers")? else {
        return Err(section.missing("providers", "List the providers, or remove the section."));
    };
    let each = top.every(providers.iter().map(provider));
    keys::distinct(&providers, "id")?;
    each.map(|each| Some(each.len()))
}

fn provider(section: &Section<'_>) -> Result<()> {
    let keys = keys::check(section, &KEYS);
    let exclusive = section.exclusive("client_secret", &["client_secret_file"]);
    let (issuer, proof) = (issuer(section), proof(section));
    keys.and(exclusive).and(issuer).and(proof)
}

fn issuer(section: &Section<'_>) -> Result<()> {
    if section.glimpse("discovery_mode") != Some(NO_DISCOVERY) && !section.has("issuer") {
        let help = format!("Give the provider's issuer, or set `discovery_mode: {NO_DISCOVERY}`.");
        return Err(section.missing("issuer", &help));
    }
    Ok(())
}

fn proof(section: &Section<'_>) -> Result<()> {
    let proof = section.required_choice("token_endpoint_auth_method", &METHODS)?;
    let method = section.glimpse("token_endpoint_auth_method").unwrap_or_default();
    let needed = |key: &str, keys: [&str; 2]| {
        let help = format!("The method `{method}` needs {}.", wrong::either(keys));
        Err(section.missing(key, &help))
    };
    let secret = match proof {
        Proof::Secret | Proof::SecretJwt if !section.has_any(&SECRETS) => needed(SECRETS[0], SECRETS),
        _ => Ok(()),
    };
    let algorithm = "token_endpoint_auth_signing_alg";
    let signing = match proof {
        Proof::SecretJwt | Proof::KeyJwt if !section.has(algorithm) => {
            Err(section.missing(algorithm, &format!("The method `{method}` needs it.")))
        }
        _ => Ok(()),
    };
    let apple = match section.section("sign_in_with_apple")? {
        Some(apple) => check_apple(&apple),
        None if proof == Proof::Apple => Err(section.missing(
            "sign_in_with_apple",
            "The method `sign_in_with_apple` needs a key, `team_id` and `key_id` there.",
        )),
        None => Ok(()),
    };
    secret.and(signing).and(apple)
}

fn check_apple(section: &Section<'_>) -> Result<()> {
    let keys = keys::check(section, &APPLE);
    let exclusive = section.exclusive(APPLE_KEYS[0], &[APPLE_KEYS[1]]);
    if !section.has_any(&APPLE_KEYS) {
        let help = format!("Give {}.", wrong::either(APPLE_KEYS));
        return Err(section.missing(APPLE_KEYS[0], &help));
    }
    keys.and(exclusive)
}
