//! Whether an input holds a secret: then nothing keeps it. Rather one too many is dropped than one too few.

use secrecy::SecretString;

use super::scan::{Kind, Token, scan};
use crate::model::TokenKind;

/// Parts of names that mean a secret.
const NAMES: [&str; 11] = [
    "password",
    "passwd",
    "passphrase",
    "pwd",
    "secret",
    "token",
    "credential",
    "pepper",
    "apikey",
    "api_key",
    "private_key",
];

/// Words of names that mean one, and are too short to be looked for inside of words.
const WORDS: [&str; 2] = ["pass", "pw"];

/// How hashes of passwords and keys begin.
const BEGINNINGS: [&str; 8] = [
    "$argon2",
    "$2a$",
    "$2b$",
    "$2x$",
    "$2y$",
    "$pbkdf2",
    "PRIVATE KEY-----",
    "Bearer ",
];

/// Whether an input holds a secret, as far as one can tell: the text of a token or a hash, a URI with a password, or a
/// literal that is given to something whose name means one.
#[must_use]
pub fn has_secret(input: &str) -> bool {
    if BEGINNINGS.iter().any(|beginning| input.contains(beginning)) || has_token(input) || has_uri(input) {
        return true;
    }
    let line = input.trim_start();
    let is_given = line.strip_prefix('\\').is_some_and(is_given_to_command);
    is_given || is_given_in_code(input)
}

fn has_token(text: &str) -> bool {
    let words = text.split(|character: char| !character.is_ascii_alphanumeric() && !"_-".contains(character));
    let mut words = words.filter(|word| word.len() > 4);
    words.any(|word| TokenKind::of(&SecretString::from(word)).is_some() || word.starts_with("eyJ"))
}

/// Whether there is `SCHEME://USER:PASSWORD@`.
fn has_uri(text: &str) -> bool {
    text.match_indices("://").any(|(at, separator)| {
        let rest = &text[at + separator.len()..];
        let end = rest.find(|character: char| character.is_whitespace() || "\"'`".contains(character));
        let authority = &rest[..end.unwrap_or(rest.len())];
        authority.rsplit_once('@').is_some_and(|(user, _)| user.contains(':'))
    })
}

fn means_secret(name: &str) -> bool {
    let name = name.to_ascii_lowercase().replace('-', "_");
    let mut words = name.split(|character: char| !character.is_alphanumeric());
    NAMES.iter().any(|part| name.contains(part)) || words.any(|word| WORDS.contains(&word))
}

/// Whether a secret is given to a meta-command: to an option, as `NAME=VALUE`, or behind a script that is about one.
fn is_given_to_command(line: &str) -> bool {
    let words: Vec<&str> = line.split_whitespace().collect();
    words.iter().enumerate().any(|(index, word)| {
        let is_option = word.starts_with('-') && index + 1 < words.len() && means_secret(word);
        let is_short = word.starts_with("-p") && !word.starts_with("--");
        let is_pair = word
            .split_once(['=', ':'])
            .is_some_and(|(name, value)| means_secret(name) && !value.is_empty() && !value.starts_with(':'));
        let is_script = !word.starts_with('-') && means_secret(word) && words.len() > index + 2;
        is_option || is_short || is_pair || is_script
    })
}

/// Whether a literal is given to a name that means a secret.
fn is_given_in_code(input: &str) -> bool {
    let tokens: Vec<Token> = scan(input).tokens;
    let in_words = tokens
        .iter()
        .filter(|token| matches!(token.kind, Kind::Text | Kind::Comment | Kind::Doc));
    if in_words.into_iter().any(|token| is_given_in_words(token.text(input))) {
        return true;
    }
    let code = Code {
        text: input,
        tokens: tokens.into_iter().filter(|token| token.is_code()).collect(),
    };
    (0..code.tokens.len()).any(|index| code.is_given_at(index))
}

/// Whether there is `password=…` or `token: …`.
fn is_given_in_words(text: &str) -> bool {
    let text = text.to_ascii_lowercase();
    let is_given = |name: &str| {
        text.match_indices(name).any(|(at, _)| {
            let behind = text[at + name.len()..].trim_start_matches(['"', '\'', '\\', ' ']);
            let value = behind.strip_prefix(['=', ':']).map(str::trim_start);
            value.is_some_and(|value| value.starts_with(|first: char| !"\"'`".contains(first) || value.len() > 1))
        })
    };
    NAMES.iter().any(|name| is_given(name))
}

struct Code<'text> {
    text: &'text str,
    tokens: Vec<Token>,
}

impl Code<'_> {
    fn word(&self, index: usize) -> &str {
        self.tokens.get(index).map_or("", |token| token.text(self.text))
    }

    fn kind(&self, index: usize) -> Option<Kind> {
        self.tokens.get(index).map(|token| token.kind)
    }

    fn is_given_at(&self, index: usize) -> bool {
        match self.kind(index) {
            Some(Kind::Operator) if is_giving(self.word(index)) => {
                let is_named = index > 0 && self.is_named_before(index - 1);
                is_named && self.has_literal(index + 1, true, false)
                    || matches!(self.word(index), "==" | "!=") && self.is_compared(index)
            }
            Some(Kind::Call) => self.takes_secret(index) && self.has_literal(index + 2, false, true),
            _ => false,
        }
    }

    /// Whether what ends at a token is named like a secret: a name, a key in quotes, or one in brackets.
    fn is_named_before(&self, index: usize) -> bool {
        let is_bracket = self.word(index) == "]" && index > 0;
        let index = if is_bracket { index - 1 } else { index };
        let is_name = matches!(self.kind(index), Some(Kind::Name | Kind::Text));
        is_name && means_secret(self.word(index))
    }

    /// Whether a literal on the left is compared with what is named like a secret.
    fn is_compared(&self, index: usize) -> bool {
        let is_literal = index > 0 && self.kind(index - 1) == Some(Kind::Text);
        let behind = (index + 1..self.tokens.len())
            .take_while(|&it| matches!(self.kind(it), Some(Kind::Name)) || matches!(self.word(it), "." | "?."));
        is_literal && behind.into_iter().any(|it| means_secret(self.word(it)))
    }

    /// Whether a function takes a secret: it is named like one, or by the text of a registration token.
    fn takes_secret(&self, index: usize) -> bool {
        let name = self.word(index);
        let namespace = if index > 1 && self.word(index - 1) == "::" {
            self.word(index - 2)
        } else {
            ""
        };
        if namespace == "input" || name.starts_with("issue_") {
            return false;
        }
        means_secret(name) || (namespace == "tokens" && name.ends_with("_registration"))
    }

    /// Whether there is a literal from a token to the end of what is given. What is asked for is none.
    fn has_literal(&self, start: usize, numbers: bool, all: bool) -> bool {
        let (mut depth, mut index) = (0_usize, start);
        while let Some(kind) = self.kind(index) {
            let word = self.word(index);
            match kind {
                Kind::Namespace if word == "input" => {
                    index = self.behind_call(index);
                    continue;
                }
                Kind::Text if word.trim_matches(['"', '`', '#']).trim().is_empty() => {}
                Kind::Text | Kind::Char => return true,
                Kind::Number if numbers && index == start => return true,
                Kind::Name if depth == 0 && self.is_literal_elsewhere(word) => return true,
                Kind::Open if word == "{" && depth == 0 => return false,
                // The options of a deed: their keys are looked at by themselves.
                Kind::Open if word == "#{" && all => return false,
                Kind::Open => depth += 1,
                Kind::Close if depth == 0 => return false,
                Kind::Close => depth -= 1,
                Kind::Operator if depth == 0 && (word == ";" || (word == "," && !all)) => return false,
                _ => {}
            }
            index += 1;
        }
        false
    }

    /// The token behind a call that begins at a token.
    fn behind_call(&self, start: usize) -> usize {
        let mut depth = 0_usize;
        for index in start..self.tokens.len() {
            match self.kind(index) {
                Some(Kind::Open) => depth += 1,
                Some(Kind::Close) if depth <= 1 => return index + 1,
                Some(Kind::Close) => depth -= 1,
                Some(Kind::Operator) if depth == 0 && matches!(self.word(index), ";" | ",") => return index,
                _ => {}
            }
        }
        self.tokens.len()
    }

    /// Whether a variable is set to a string in the same input.
    fn is_literal_elsewhere(&self, name: &str) -> bool {
        let mut three = self
            .tokens
            .windows(3)
            .map(|three| three.iter().map(|it| it.text(self.text)));
        three.any(|mut words| {
            words.next() == Some(name)
                && words.next() == Some("=")
                && words.next().is_some_and(|it| it.starts_with(['"', '`']))
        })
    }
}

fn is_giving(operator: &str) -> bool {
    matches!(operator, "=" | ":" | "+=" | "==" | "!=")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_not_kept() {
        for input in [
            // Texts that are secrets by themselves.
            "tokens::find(x) // mct_fNbm5KAQovodfVQz7IvDc44woP66fR_fsaiD1",
            "let t = \"syt_YWxpY2U_abc_1234\";",
            "mct_fNbm5KAQovodfVQz7IvDc44woP66fR_fsaiD1",
            "\\d mct_fNbm5KAQovodfVQz7IvDc44woP66fR_fsaiD1",
            "let h = \"$argon2id$v=19$m=19456\"",
            "let h = \"$2b$12$abc\"",
            "say(\"postgresql://mas:hunter2@db/mas\")",
            "\\run x postgresql://mas:hunter2@db/mas",
            "let j = \"eyJhbGciOiJIUzI1NiJ9.e30.abc\"",
            // Literals that are given to names.
            "let password = \"hunter2\";",
            "let password = \"hunter2",
            "let pw = \"hunter2\"",
            "const DB_PASS = \"hunter2\"",
            "#{ pass: \"hunter2\" }",
            "const ADMIN_PASSWORD = `hunter2`;",
            "password = 12345",
            "let secret = #\"hunter2\"#",
            "users::register(#{ username: \"alice\", password: \"hunter2\" })",
            "#{ \"password\": \"hunter2\" }",
            "m[\"password\"] = \"hunter2\"",
            "m.client_secret = \"a\" + b",
            "if user.password == \"hunter2\" { }",
            "\"hunter2\" == user.password",
            "tokens::issue_registration(#{ token: \"abc\" })",
            "tokens::get_registration(\"abc\")",
            "user.set_password(\"hunter2\")",
            "user.set_password(fixture::secret(\"hunter2\"))",
            "let p = \"hunter2\"; user.set_password(p)",
            "user.verify_password(`hunter${n}`)",
            "say(\"password=hunter2\")",
            "// the password: hunter2",
            // Arguments of scripts.
            "\\run register-user alice --password hunter2",
            "\\run register-user alice --password=hunter2",
            "\\run register-user alice -p hunter2",
            "\\run register-user alice -phunter2",
            "\\run set-password alice hunter2",
            "  \\run issue-user-registration-token --token abc",
            "\\run x password=hunter2",
        ] {
            assert!(has_secret(input), "{input}");
        }
    }

    #[test]
    fn what_is_kept() {
        for input in [
            "",
            "users::get(\"alice\")",
            "users::list(#{ search: \"alice\", limit: 10 }).len()",
            "let password = input::ask_secret(\"New password\");",
            "users::get(\"alice\").set_password(input::ask_secret(\"New password\"))",
            "let p = passwords::generate(); users::get(\"alice\").set_password(p)",
            "user.set_password(password, #{ ignore_complexity: true })",
            "user.password",
            "let bypass = \"x\"",
            "let passed = \"x\"",
            "user.password != ()",
            "if user.password == () { users::get(\"alice\").lock() }",
            "tokens::list(#{ user: \"alice\" })",
            "tokens::get(\"01J00000000000000000000000\").revoke()",
            "tokens::issue_registration(#{ usage_limit: 1 })",
            "error_code(e) == \"token.not_found\"",
            "import \"std/passwords\" as choice;",
            "let site = \"https://auth.example.org/\"",
            "users::get(\"@alice:example.org\")",
            "\\d users",
            "\\d set_password",
            "\\h tokens::get",
            "\\run set-password alice",
            "\\run lock-user alice --deactivate",
            "\\run issue-compatibility-token alice",
            "\\mode write",
        ] {
            assert!(!has_secret(input), "{input}");
        }
    }
}
