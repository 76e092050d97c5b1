//! What `config check` refuses in the sections that masctl does not use itself.

use super::*;

const ID: &str = "01FSHN9AG0MKZTBEZ7HY5SFTGG";
const OTHER: &str = "01FSHN9AG0AJ6AC5HQ9X6H4RP4";

/// The problems of a configuration that is otherwise in order, one a line.
fn problems(scene: &Scene, files: &[&str]) -> String {
    let configuration = scene.load_with(files).unwrap();
    assert!(configuration.database().is_ok() && configuration.matrix().is_ok());
    let errors = configuration.check().err().unwrap_or_default();
    let line = |error: &Error| {
        let (line, column) = told(error).2.expect("a place");
        assert!(error.help_text().is_some_and(|help| !help.is_empty()), "{error}");
        assert!(!error.message().contains("hunter2"), "{error}");
        assert!(!error.excerpts()[0].text.contains("hunter2"), "{error}");
        format!("{line}:{column} {error}\n")
    };
    errors.iter().map(line).collect()
}

fn of(yaml: &str) -> Scene {
    Scene::of(&format!("database: {{}}\nmatrix: {{secret: x}}\n{yaml}"))
}

#[test]
fn clients_that_are_in_order() {
    let scene = of(&format!(
        "clients:\n- {{client_id: {ID}, client_auth_method: none, redirect_uris: ['https://a/', 'app:/cb'], later: x}}\n\
         - {{client_id: {OTHER}, client_auth_method: client_secret_post, client_secret_file: s, client_uri: 'https://a/'}}\n\
         - {{client_id: 01FSHN9AG0MKZTBEZ7HY5SFTGH, client_auth_method: private_key_jwt, jwks: {{keys: []}}}}\n",
    ))
    .file("s", "x\n");
    assert_eq!(problems(&scene, &[]), "");
    let findings = scene.load().check().unwrap();
    let finding = findings.last().unwrap();
    assert_eq!(
        (finding.section, &*finding.summary),
        ("clients", "3 clients, which only MAS uses")
    );
    assert_eq!(finding.files[0].key, "clients[1].client_secret_file");
}

#[test]
fn clients_that_are_not() {
    let scene = of(&format!(
        "clients:\n- client_id: hunter\n  client_auth_method: secret\n- client_auth_method: client_secret_basic\n\
         - client_id: {ID}\n  client_auth_method: none\n  client_secret: hunter2\n  jwks_uri: x\n\
         - client_id: {ID}\n  client_auth_method: private_key_jwt\n  client_secret_file: empty\n  redirect_uris: [5, x]\n\
         - client_id: {OTHER}\n  client_auth_method: client_secret_jwt\n  client_secret: 5\n  client_secret_file: s\n\
         - client_id: 7\n",
    ))
    .file("empty", " \n")
    .file("s", "x");
    let expected = "\
4:3 `clients[0].client_id` is `hunter`, which is not a ULID
5:3 `clients[0].client_auth_method` is `secret`, which is not a value of it
6:3 `clients[1].client_id` is missing
6:3 `clients[1].client_secret` is missing
10:3 `clients[2].jwks_uri` is not a URL (relative URL without a base)
9:3 `clients[2].client_secret` is not allowed with the method `none`
10:3 `clients[2].jwks_uri` is not allowed with the method `none`
13:3 `clients[3].client_secret_file` names `EMPTY`, which is empty
14:19 `clients[3].redirect_uris[0]` must be text, but is the number `5`
13:3 `clients[3].client_secret_file` is not allowed with the method `private_key_jwt`
11:3 `clients[3].jwks` is missing
17:3 `clients[4].client_secret` must be text, but is a number
18:3 `clients[4].client_secret` and `clients[4].client_secret_file` exclude each other
19:3 `clients[5].client_id` must be text, but is the number `7`
19:3 `clients[5].client_auth_method` is missing
11:3 `clients[3].client_id` is `01FSHN9AG0MKZTBEZ7HY5SFTGG`, as in `clients[2]`
";
    let expected = expected.replace("EMPTY", &scene.path("empty").display().to_string());
    assert_eq!(problems(&scene, &[]), expected);
    assert_eq!(
        problems(&of("clients: hunter2\n"), &[]),
        "3:1 `clients` must be a list, but is text\n"
    );
    assert_eq!(
        problems(&of("clients: [hunter2]\n"), &[]),
        "3:11 `clients[0]` must be a mapping, but is text\n"
    );
}

#[test]
fn lists_of_several_files_are_joined_and_their_ids_compared() {
    let client = format!("clients: [{{client_id: {ID}, client_auth_method: none}}]\n");
    let scene = of(&client).file("b.yaml", &client);
    let problem = format!("1:12 `clients[1].client_id` is `{ID}`, as in `clients[0]`\n");
    assert_eq!(problems(&scene, &["config.yaml", "b.yaml"]), problem);
}

#[test]
fn providers_that_are_in_order() {
    let scene = of(&format!(
        "upstream_oauth2:\n  providers:\n  - {{id: {ID}, client_id: c, token_endpoint_auth_method: none, issuer: 'https://a/'}}\n  \
         - {{id: {OTHER}, client_id: c, token_endpoint_auth_method: sign_in_with_apple, discovery_mode: disabled, \
         sign_in_with_apple: {{private_key_file: k, team_id: t, key_id: i}}, claims_imports: {{subject: {{}}}}}}\n",
    ))
    .file("k", "x");
    assert_eq!(problems(&scene, &[]), "");
    let findings = scene.load().check().unwrap();
    let finding = findings.last().unwrap();
    assert_eq!(&*finding.summary, "2 providers, which only MAS uses");
    let key = "upstream_oauth2.providers[1].sign_in_with_apple.private_key_file";
    assert_eq!(finding.files[0].key, key);
}

#[test]
fn providers_that_are_not() {
    let scene = of(&format!(
        "upstream_oauth2:\n  providers:\n  - id: {ID}\n    token_endpoint_auth_method: client_secret_jwt\n    discovery_mode: x\n    \
         enabled: 'no'\n  - id: {ID}\n    client_id: c\n    issuer: i\n    token_endpoint_auth_method: sign_in_with_apple\n    \
         pkce_method: s256\n    token_endpoint: x\n  - token_endpoint_auth_method: sign_in_with_apple\n    id: {OTHER}\n    \
         client_id: c\n    issuer: i\n    sign_in_with_apple: {{team_id: 5}}\n",
    ));
    let expected = "\
8:5 `P[0].enabled` must be true or false, but is the text `no`
5:5 `P[0].client_id` is missing
7:5 `P[0].discovery_mode` is `x`, which is not a value of it
5:5 `P[0].issuer` is missing
5:5 `P[0].client_secret` is missing
5:5 `P[0].token_endpoint_auth_signing_alg` is missing
13:5 `P[1].pkce_method` is `s256`, which is not a value of it
14:5 `P[1].token_endpoint` is not a URL (relative URL without a base)
9:5 `P[1].sign_in_with_apple` is missing
19:26 `P[2].sign_in_with_apple.team_id` must be text, but is the number `5`
19:5 `P[2].sign_in_with_apple.key_id` is missing
19:5 `P[2].sign_in_with_apple.private_key` is missing
9:5 `P[1].id` is `01FSHN9AG0MKZTBEZ7HY5SFTGG`, as in `P[0]`
";
    let expected = expected.replace("P[", "upstream_oauth2.providers[");
    assert_eq!(problems(&scene, &[]), expected);
    assert_eq!(
        problems(&of("upstream_oauth2: {}\n"), &[]),
        "3:1 `upstream_oauth2.providers` is missing\n"
    );
}
