//! The opaque type of secrets: prompt, standard input, file or generator in; a hash, or a one-time reveal, out.

use std::sync::Arc;

use rhai::{Engine, EvalAltResult, ImmutableString};
use secrecy::SecretString;

/// What a secret looks like wherever it is shown.
pub const MASK: &str = "<secret>";

/// A secret that scripts can hand on and nothing else.
#[derive(Clone, Debug)]
pub struct Secret {
    text: Arc<SecretString>,
    revealable: bool,
}

impl Secret {
    /// A secret that came from outside: it is never shown again.
    #[must_use]
    pub fn given(text: SecretString) -> Self {
        Self {
            text: Arc::new(text),
            revealable: false,
        }
    }

    /// A secret that this run made: it is shown once if the script returns it.
    #[must_use]
    pub fn made(text: SecretString) -> Self {
        Self {
            text: Arc::new(text),
            revealable: true,
        }
    }

    /// The secret itself, for operations.
    #[must_use]
    pub fn text(&self) -> &SecretString {
        &self.text
    }

    /// The secret itself, if the person may see it.
    #[must_use]
    pub fn reveal(&self) -> Option<&SecretString> {
        self.revealable.then_some(&*self.text)
    }
}

pub(super) fn register(engine: &mut Engine) {
    engine
        .register_fn("to_string", |_: &mut Secret| MASK)
        .register_fn("to_debug", |_: &mut Secret| MASK)
        .register_fn("+", |_: Secret, _: ImmutableString| joined())
        .register_fn("+", |_: ImmutableString, _: Secret| joined())
        .register_fn("+", |_: Secret, _: Secret| joined());
}

/// A text with `<secret>` in it would look like a password and be none.
fn joined() -> Result<ImmutableString, Box<EvalAltResult>> {
    Err("a secret cannot be joined to a text".into())
}
