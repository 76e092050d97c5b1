//! The names that a session has: its variables, functions and imports.

use rhai::{FnAccess, ImmutableString, ScriptFuncDef, Shared};

use super::{
    Candidate, MOST, fits,
    sources::{Sources, written_shape},
};
use crate::host::{
    reference::{first_sentence, uncommented},
    repl::State,
};

/// A function that the session or a module of it has.
pub(in crate::host::repl) struct Function {
    /// Its name.
    pub(in crate::host::repl) name: String,
    /// The type whose method it is alone: `fn User.shout()`.
    pub(super) of: Option<String>,
    /// Its name with what it takes.
    pub(in crate::host::repl) signature: String,
    /// The first sentence of its comment.
    pub(in crate::host::repl) about: String,
}

impl Function {
    fn of(definition: &ScriptFuncDef) -> Self {
        let taken: Vec<_> = definition.params.iter().map(ImmutableString::as_str).collect();
        let help = uncommented(&definition.comments.join("\n"));
        Self {
            name: definition.name.to_string(),
            of: definition.this_type.as_ref().map(ToString::to_string),
            signature: format!("{}({})", definition.name, taken.join(", ")),
            about: first_sentence(help.trim()),
        }
    }

    pub(super) fn candidate(&self) -> Candidate {
        Candidate::of_signature(&self.signature, &self.about)
    }
}

/// The functions of the session: a later one takes the place of an earlier that takes as much.
pub(in crate::host::repl) fn functions(state: &State) -> Vec<Function> {
    let mut functions: Vec<Function> = Vec::new();
    for module in state.functions().iter().rev() {
        let own = module.iter_script_fn_info().map(|(_, _, _, _, definition)| definition);
        functions.extend(own.filter(|it| is_named(it)).map(|it| Function::of(it)));
    }
    functions
}

/// The functions of what is imported by this alias.
pub(in crate::host::repl) fn functions_of(state: &State, alias: &str) -> Vec<Function> {
    let imports = state.imports().iter().rev();
    let module = imports
        .filter(|(known, _)| known == alias)
        .map(|(_, module)| module)
        .next();
    let all = module.into_iter().flat_map(|module| module.iter_script_fn_info());
    all.filter(|(_, access, _, _, definition)| *access == FnAccess::Public && is_named(definition))
        .map(|(_, _, _, _, definition)| Function::of(definition))
        .collect()
}

fn is_named(definition: &Shared<ScriptFuncDef>) -> bool {
    !definition.name.contains('$')
}

/// The aliases of imports.
pub(super) fn aliases(state: &State) -> impl Iterator<Item = Candidate> {
    state.imports().iter().map(|(alias, module)| {
        let written = format!("{alias}::");
        Candidate::new(written.clone(), &written, module.id().unwrap_or_default())
    })
}

/// The variables that begin with what is typed, those that were made last first.
pub(super) fn variables<'a>(
    state: &'a State,
    sources: &'a Sources,
    typed: &str,
) -> impl Iterator<Item = Candidate> + 'a {
    let all = state.scope().iter_raw();
    // Rhai has the newest first.
    let fitting: Vec<_> = all.filter(|(name, _, _)| fits(name, typed)).take(MOST).collect();
    fitting.into_iter().map(|(name, _, value)| {
        let shape = sources.shape_of(value);
        let about = match name {
            "_" => "What the last input came to.",
            _ => sources.about(shape.kind()),
        };
        Candidate::new(name.to_owned(), &format!("{name}: {}", written_shape(shape)), about)
    })
}
