//! The merged configuration as JSON, with every secret masked.

use secrecy::ExposeSecret;
use serde_json::{Map, Value, json};

use super::{
    locate, names,
    tree::{Node, Origin, Tree},
};

/// What stands for a secret.
const MASK: &str = "<secret>";

/// The members of a private or symmetric JSON Web Key (RFC 7518, section 6).
const JWK_SECRETS: [&str; 8] = ["d", "p", "q", "dp", "dq", "qi", "oth", "k"];

/// Keys under which there are only mappings, or lists of them: a scalar in such a place is misplaced, and may be a
/// secret. So is one in the place of a whole section.
const STRUCTURES: [&str; 7] = [
    "claims_imports",
    "jwks",
    "keys",
    "listeners",
    "providers",
    "schemes",
    "sign_in_with_apple",
];

/// The most bytes that are parsed to find where values were written: each is found by parsing its file once more.
const SEARCH_LIMIT: usize = 128 * 1024 * 1024;

/// The merged configuration without secrets, and for each value the place that it comes from.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Traced {
    /// A value, or a mapping or list without anything in it.
    Value {
        /// The value, masked if it is a secret.
        value: Value,
        /// `file:line:column`, or the name of a variable. The file alone where there are too many values to look for
        /// each of them in a large file.
        origin: String,
    },
    /// A list.
    List(Vec<Self>),
    /// A mapping, in the order of its keys.
    Map(Vec<(String, Self)>),
}

/// The tree as JSON without secrets.
pub(super) fn masked(tree: &Tree) -> Value {
    plain(shown(tree, &mut |_| String::new()))
}

/// The tree without secrets, and with the places of its values.
pub(super) fn traced(tree: &Tree) -> Traced {
    let mut left = SEARCH_LIMIT;
    shown(tree, &mut |origin| place(origin, &mut left))
}

fn plain(traced: Traced) -> Value {
    match traced {
        Traced::Value { value, .. } => value,
        Traced::List(items) => items.into_iter().map(plain).collect(),
        Traced::Map(entries) => {
            let entries = entries.into_iter().map(|(key, inner)| (key, plain(inner)));
            entries.collect::<Map<_, _>>().into()
        }
    }
}

/// Where a value was written. Looking for it uses up some of what is `left`.
fn place(origin: &Origin, left: &mut usize) -> String {
    match origin {
        // Only the top as a whole is from nowhere, and only while there is nothing in it.
        Origin::Top => String::new(),
        Origin::Variable(name) => name.to_string(),
        Origin::File { source, trail } => {
            let rest = left.checked_sub(source.text.expose_secret().len());
            *left = rest.unwrap_or_default();
            let steps = Origin::steps(trail.as_ref());
            match rest.and_then(|_| locate::position(source, &steps)) {
                Some((line, column)) => format!("{}:{line}:{column}", source.name),
                None => source.name.clone(),
            }
        }
    }
}

fn shown(tree: &Tree, trace: &mut dyn FnMut(&Origin) -> String) -> Traced {
    match &tree.node {
        Node::Map(entries) if !entries.is_empty() => {
            let section = |(key, tree): (&String, &Tree)| {
                let structure = names::OF_MAS.contains(&key.as_str()) || key == names::OWN;
                (key.clone(), entry(key, tree, structure, trace))
            };
            Traced::Map(entries.iter().map(section).collect())
        }
        _ => traced_value(tree, false, trace),
    }
}

fn entry(key: &str, tree: &Tree, secret: bool, trace: &mut dyn FnMut(&Origin) -> String) -> Traced {
    let number = matches!(tree.node, Node::Number(_));
    let secret = secret || STRUCTURES.contains(&key) || (locate::is_secret(key) && !(number && is_setting(key)));
    traced_value(tree, secret, trace)
}

fn leaf(value: Value, tree: &Tree, trace: &mut dyn FnMut(&Origin) -> String) -> Traced {
    Traced::Value {
        value,
        origin: trace(&tree.origin),
    }
}

fn traced_value(tree: &Tree, secret: bool, trace: &mut dyn FnMut(&Origin) -> String) -> Traced {
    match &tree.node {
        Node::List(items) if !items.is_empty() => {
            Traced::List(items.iter().map(|item| traced_value(item, secret, trace)).collect())
        }
        Node::Map(entries) if !entries.is_empty() => {
            let jwk = entries.contains_key("kty");
            let of_jwk = |key: &str| jwk && JWK_SECRETS.contains(&key);
            let inner = entries
                .iter()
                .map(|(key, tree)| (key.clone(), entry(key, tree, of_jwk(key), trace)));
            Traced::Map(inner.collect())
        }
        node => leaf(scalar(node, secret), tree, trace),
    }
}

/// A value without anything inside of it.
fn scalar(node: &Node, secret: bool) -> Value {
    match node {
        Node::Number(_) | Node::Text(_) if secret => MASK.into(),
        Node::Null => Value::Null,
        Node::Bool(value) => Value::Bool(*value),
        Node::Number(number) => Value::Number(number.clone()),
        Node::Text(text) => mask_text(text.expose_secret()).into(),
        Node::List(_) => json!([]),
        Node::Map(_) => json!({}),
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
    fn text_in_the_place_of_a_section_is_masked() {
        let yaml = "
            matrix: x
            passwords: [x, {schemes: x}]
            clients: [x, {jwks: x, client_id: i}]
            upstream_oauth2: {providers: [x, {sign_in_with_apple: 5}]}
            http: {listeners: [x, {name: n}]}
            masctl: x
            email: true
            telemetry: {sentry: {dsn: 'https://key@host/1'}}
            other: x
        ";
        let mask = "<secret>";
        let expected = json!({
            "clients": [mask, { "client_id": "i", "jwks": mask }],
            "email": true,
            "http": { "listeners": [mask, { "name": "n" }] },
            "masctl": mask,
            "matrix": mask,
            "other": "x",
            "passwords": [mask, { "schemes": mask }],
            "telemetry": { "sentry": { "dsn": mask } },
            "upstream_oauth2": { "providers": [mask, { "sign_in_with_apple": mask }] },
        });
        assert_eq!(dumped(yaml), expected);
    }

    #[test]
    fn places_are_looked_for_while_that_is_quick() {
        let source = Arc::new(Source {
            name: "f".to_owned(),
            text: "a: 1\nb: [{c: 2}]\n".into(),
        });
        let tree = source::parse(&source).unwrap();
        let Node::Map(entries) = &tree.node else {
            panic!("a mapping");
        };
        let mut left = 30;
        assert_eq!(place(&entries["a"].origin, &mut left), "f:1:1");
        assert_eq!(place(&entries["b"].origin, &mut left), "f");
        let value = |value: i32, origin: &str| Traced::Value {
            value: value.into(),
            origin: origin.to_owned(),
        };
        let c = Traced::Map(vec![("c".to_owned(), value(2, "f:2:6"))]);
        let expected = [
            ("a".to_owned(), value(1, "f:1:1")),
            ("b".to_owned(), Traced::List(vec![c])),
        ];
        assert_eq!(traced(&tree), Traced::Map(expected.to_vec()));
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
