//! The code before the cursor, without white space and comments.

use crate::host::repl::scan::{Kind, Scan, Token};

/// The code before the cursor.
pub(in crate::host::repl) struct Code<'text> {
    text: &'text str,
    tokens: Vec<Token>,
    /// For each token that is a bracket, the one that belongs to it.
    partners: Vec<Option<usize>>,
}

impl<'text> Code<'text> {
    pub(in crate::host::repl) fn new(text: &'text str, scan: &Scan) -> Self {
        let tokens: Vec<Token> = scan.tokens.iter().copied().filter(|token| token.is_code()).collect();
        let mut partners = vec![None; tokens.len()];
        let mut open = Vec::new();
        for (at, token) in tokens.iter().enumerate() {
            match token.kind {
                Kind::Open => open.push(at),
                Kind::Close => {
                    if let Some(partner) = open.pop() {
                        partners[at] = Some(partner);
                        partners[partner] = Some(at);
                    }
                }
                _ => {}
            }
        }
        Self { text, tokens, partners }
    }

    /// How many tokens there are.
    pub(in crate::host::repl) fn len(&self) -> usize {
        self.tokens.len()
    }

    /// The token at a place.
    pub(in crate::host::repl) fn token(&self, at: usize) -> Option<Token> {
        self.tokens.get(at).copied()
    }

    /// The token before the token at a place.
    pub(super) fn before(&self, at: usize) -> &'text str {
        at.checked_sub(1).map_or("", |before| self.text(before))
    }

    /// What a token is.
    pub(in crate::host::repl) fn kind(&self, at: usize) -> Option<Kind> {
        Some(self.tokens.get(at)?.kind)
    }

    /// What a token is written as: nothing behind the end.
    pub(in crate::host::repl) fn text(&self, at: usize) -> &'text str {
        self.tokens.get(at).map_or("", |token| token.text(self.text))
    }

    /// The bracket that ends the one at a place, if it stands before `end`.
    pub(in crate::host::repl) fn partner(&self, at: usize, end: usize) -> Option<usize> {
        let partner = self.partners.get(at).copied().flatten()?;
        (at < partner && partner < end).then_some(partner)
    }

    /// The bracket that the one at a place ends.
    pub(super) fn partner_before(&self, at: usize) -> Option<usize> {
        let partner = self.partners.get(at).copied().flatten()?;
        (partner < at).then_some(partner)
    }

    /// The innermost bracket that is open at the token at `end`.
    pub(in crate::host::repl) fn open_at(&self, end: usize) -> Option<usize> {
        let mut at = end.min(self.len()).checked_sub(1)?;
        loop {
            match (self.tokens[at].kind, self.partners[at]) {
                (Kind::Open, _) => return Some(at),
                (Kind::Close, Some(partner)) => at = partner,
                _ => {}
            }
            at = at.checked_sub(1)?;
        }
    }
}
