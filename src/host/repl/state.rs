//! What the inputs of a session leave to those after them: variables, functions and imports.

use std::{collections::HashMap, sync::Arc};

use rhai::{Module, Scope, Shared};

/// The variables, functions and imports of a session.
#[derive(Clone, Debug, Default)]
pub struct State {
    scope: Scope<'static>,
    /// The functions of each input that has some, the oldest first: a later one takes the place of an earlier.
    functions: Vec<Shared<Module>>,
    /// What was imported, by its alias: a later one takes the place of an earlier.
    imports: Vec<(String, Shared<Module>)>,
    /// The text of each input that has functions, by what errors call it.
    texts: HashMap<String, Arc<str>>,
}

impl State {
    /// The variables, `_` among them: the last value.
    pub(super) const fn scope(&self) -> &Scope<'static> {
        &self.scope
    }

    /// The functions of each input that has some, the oldest first.
    pub(super) fn functions(&self) -> &[Shared<Module>] {
        &self.functions
    }

    /// What was imported, by its alias.
    pub(super) fn imports(&self) -> &[(String, Shared<Module>)] {
        &self.imports
    }
}
