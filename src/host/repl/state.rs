//! What the inputs of a session leave to those after them: variables, functions and imports.

use std::{collections::HashMap, sync::Arc};

use rhai::{AST, Dynamic, Engine, Module, Scope, Shared};

use super::{copy, last::LAST};
use crate::{
    host::check::{Around, Known},
    operations::Run,
};

/// The variables, functions and imports of a session.
#[derive(Clone, Debug, Default)]
pub struct State {
    scope: Scope<'static>,
    /// The functions of each input that has some, the oldest first: a later one takes the place of an earlier.
    functions: Vec<Shared<Module>>,
    /// What was imported, by its alias: a later one takes the place of an earlier.
    imports: Vec<(String, Shared<Module>)>,
    /// The text of each input that has functions and of each module, by what errors call it.
    texts: HashMap<String, Arc<str>>,
    /// Whether the last input came to something.
    has_value: bool,
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

    /// The text of each input that has functions and of each module, by what errors call it.
    pub(super) const fn texts(&self) -> &HashMap<String, Arc<str>> {
        &self.texts
    }

    /// A copy whose variables can be changed without changing those of this one, for a run.
    pub(super) fn for_run(&self, run: &Arc<Run>) -> Self {
        Self {
            scope: copy::scope(&self.scope, run),
            functions: self.functions.clone(),
            imports: self.imports.clone(),
            texts: self.texts.clone(),
            has_value: self.has_value,
        }
    }

    /// The variables, to be changed.
    pub(super) const fn scope_mut(&mut self) -> &mut Scope<'static> {
        &mut self.scope
    }

    /// Makes functions and imports known to an engine.
    pub(super) fn equip(&self, engine: &mut Engine) {
        for functions in &self.functions {
            engine.register_global_module(functions.clone());
        }
        for (alias, module) in &self.imports {
            engine.register_static_module(alias, module.clone());
        }
    }

    /// Keeps the functions of an input.
    pub(super) fn keep_functions(&mut self, label: &str, text: &Arc<str>, ast: &AST) {
        // A closure knows its function by name.
        if ast.has_functions() {
            self.functions.push(ast.shared_lib().clone());
            self.texts.insert(label.to_owned(), text.clone());
        }
    }

    /// Keeps an import.
    pub(super) fn keep_import(&mut self, alias: &str, module: Shared<Module>) {
        self.imports.retain(|(known, _)| known != alias);
        self.imports.push((alias.to_owned(), module));
    }

    /// Keeps the texts of modules.
    pub(super) fn keep_texts(&mut self, texts: HashMap<String, Arc<str>>) {
        self.texts.extend(texts);
    }

    /// Forgets the last value.
    pub(super) fn forget_last(&mut self) {
        drop(self.scope.remove::<Dynamic>(LAST));
    }

    /// Keeps the last value, unless there is none.
    pub(super) fn keep_last(&mut self, value: Dynamic) {
        self.has_value = !value.is_unit();
        if self.has_value {
            self.scope.set_value(LAST, value);
        }
    }

    /// Whether the last input came to something.
    pub(super) const fn has_value(&self) -> bool {
        self.has_value
    }

    /// What the check of an input must know of it.
    pub(super) fn around(&self) -> Around {
        let known = Known::get();
        let variables = self.scope.iter_raw().collect::<Vec<_>>().into_iter().rev();
        let functions = self.functions.iter().flat_map(|module| module.iter_script_fn_info());
        Around {
            variables: variables
                .map(|(name, _, value)| (name.to_owned(), known.type_of(value)))
                .collect(),
            functions: functions
                .map(|(_, _, name, params, _)| (name.to_owned(), params))
                .collect(),
            modules: self.imports.iter().map(|(alias, _)| alias.clone()).collect(),
        }
    }
}
