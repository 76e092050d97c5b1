//! The merged configuration as JSON, with every secret masked.

use secrecy::ExposeSecret;
use serde_json::{Map, Value};

use super::{
    locate,
    tree::{Node, Tree},
};

/// What stands for a secret.
const MASK: &str = "<secret>";

/// The members of a private or symmetric JSON Web Key (RFC 7518, section 6).
const JWK_SECRETS: [&str; 8] = ["d", "p", "q", "dp", "dq", "qi", "oth", "k"];

/// The tree as JSON without secrets.
pub(super) fn masked(tree: &Tree) -> Value {
    value(tree, false)
}

fn value(tree: &Tree, secret: bool) -> Value {
    match &tree.node {
        Node::Number(_) | Node::Text(_) if secret => MASK.into(),
        Node::Null => Value::Null,
        Node::Bool(value) => Value::Bool(*value),
        Node::Number(number) => Value::Number(number.clone()),
        Node::Text(text) => mask_text(text.expose_secret()).into(),
        Node::List(items) => items.iter().map(|item| value(item, secret)).collect(),
        Node::Map(entries) => {
            let jwk = entries.contains_key("kty");
            let entry = |(key, tree): (&String, &Tree)| {
                let number = matches!(tree.node, Node::Number(_));
                let secret = (jwk && JWK_SECRETS.contains(&key.as_str()))
                    || (locate::is_secret(key) && !(number && is_setting(key)));
                (key.clone(), value(tree, secret))
            };
            entries.iter().map(entry).collect::<Map<_, _>>().into()
        }
    }
}

/// Whether a number under this name is a setting, although a word in the name says secret: `max_tokens`. A number
/// that is the whole secret was meant to be text.
fn is_setting(key: &str) -> bool {
    let key = key.to_ascii_lowercase();
    !locate::SECRET_WORDS.iter().any(|word| key.ends_with(word))
}

/// A text that is no secret as a whole, but may contain one.
fn mask_text(text: &str) -> String {
    if text.contains("PRIVATE KEY-----") {
        return MASK.to_owned();
    }
    match text.split_once("://") {
        Some((scheme, rest)) => format!("{scheme}://{}", mask_uri(rest)),
        None => text.to_owned(),
    }
}

/// Masks the password in a URI and in its query. What is in doubt is masked: a password may hold an unencoded `/`.
fn mask_uri(rest: &str) -> String {
    let authority = match rest.rsplit_once('@') {
        Some((user, after)) => match user.split_once(':') {
            Some((name, _)) => format!("{name}:{MASK}@{after}"),
            None => rest.to_owned(),
        },
        None => rest.to_owned(),
    };
    let Some((before, query)) = authority.split_once('?') else {
        return authority;
    };
    let parameters: Vec<_> = query
        .split('&')
        .map(|parameter| match parameter.split_once('=') {
            Some((name, _)) if locate::is_secret(name) => format!("{name}={MASK}"),
            _ => parameter.to_owned(),
        })
        .collect();
    format!("{before}?{}", parameters.join("&"))
}

#[cfg(test)]
mod tests {
    use std::sync::Arc;

    use serde_json::json;

    use super::{
        super::{source, tree::Source},
        *,
    };

    fn dumped(yaml: &str) -> Value {
        let source = Source {
            name: "config.yaml".to_owned(),
            text: yaml.into(),
        };
        masked(&source::parse(&Arc::new(source)).unwrap())
    }

    #[test]
    fn secrets_are_masked_by_the_name_of_their_key() {
        let yaml = "
            database: {password: x, password_file: /p, ssl_key: x, host: db}
            matrix: {secret: 12345, secret_file: /s}
            secrets: {encryption: x, keys: [{kid: a, key: x}, {kid: b, key_file: /k}]}
            clients: [{client_id: i, client_secret: !x y, jwks: {keys: [{kty: RSA, n: n, e: AQAB, d: x}]}}]
            x: {private_key: x, site_key: x, registration_tokens: [x, 1], access_token_ttl: 300, token_endpoint: e,
                registration_token_required: true, max_tokens: 5, key_id: k, pem: '-----BEGIN PRIVATE KEY-----'}
        ";
        let mask = "<secret>";
        let expected = json!({
            "database": { "host": "db", "password": mask, "password_file": "/p", "ssl_key": mask },
            "matrix": { "secret": mask, "secret_file": "/s" },
            "secrets": {
                "encryption": mask,
                "keys": [{ "key": mask, "kid": "a" }, { "key_file": "/k", "kid": "b" }],
            },
            "clients": [{
                "client_id": "i",
                "client_secret": mask,
                "jwks": { "keys": [{ "kty": "RSA", "n": "n", "e": "AQAB", "d": mask }] },
            }],
            "x": {
                "private_key": mask,
                "site_key": mask,
                "registration_tokens": [mask, mask],
                "access_token_ttl": 300,
                "token_endpoint": "e",
                "registration_token_required": true,
                "max_tokens": 5,
                "key_id": "k",
                "pem": mask,
            },
        });
        assert_eq!(dumped(yaml), expected);
    }

    #[test]
    fn secrets_are_masked_in_uris() {
        for (uri, expected) in [
            ("postgresql://u:p@h/db", "postgresql://u:<secret>@h/db"),
            ("postgresql://u:p/q@r?s@h:1/db", "postgresql://u:<secret>@h:1/db"),
            (
                "postgresql://h/db?sslmode=require&password=p&sslkey=%2Fk",
                "postgresql://h/db?sslmode=require&password=<secret>&sslkey=<secret>",
            ),
            ("postgresql://u@h:1/db", "postgresql://u@h:1/db"),
            ("smtp://:p@h", "smtp://:<secret>@h"),
            ("https://example.com:8008/x", "https://example.com:8008/x"),
            ("MAS <mas@example.com>", "MAS <mas@example.com>"),
        ] {
            assert_eq!(dumped(&format!("uri: '{uri}'")), json!({ "uri": expected }));
        }
    }
}
