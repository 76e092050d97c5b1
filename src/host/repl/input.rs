//! One input of a session: it is checked, compiled, evaluated, and what it leaves is kept.

use std::{
    path::{Path, PathBuf},
    sync::Arc,
};

use rhai::{AST, Dynamic, Engine, Expr, ModuleResolver, Stmt};

use super::{last, state::State};
use crate::{
    error::Result,
    host::{
        Origin, Script, check, diagnose,
        engine::{self, Limits},
        header::Header,
        modules::Modules,
    },
    operations::Run,
};

/// What was entered at once, with what errors call it.
#[derive(Clone, Debug)]
pub(super) struct Input {
    script: Script,
}

impl Input {
    /// An input that errors call `label`. Its modules are in the current folder.
    pub(super) fn new(label: &str, text: &str) -> Self {
        let origin = Origin::File {
            folder: PathBuf::from("."),
        };
        Self {
            script: Script::with("input", label, text, Header::of_expression(None), origin),
        }
    }

    /// The text of a file, beside which its modules are.
    pub(super) fn of_file(file: &Path, text: &str) -> Self {
        let folder = file.parent().unwrap_or(Path::new("."));
        let origin = Origin::File {
            folder: folder.to_owned(),
        };
        let label = file.display().to_string();
        Self {
            script: Script::with("input", &label, text, Header::of_expression(None), origin),
        }
    }

    /// Evaluates it in a run, on what the inputs before it have left. Returns its value, and what it leaves.
    ///
    /// # Errors
    /// `script.syntax`, `script.invalid`, `script.import`, and what it fails with.
    pub(super) fn evaluate(&self, state: &State, run: &Arc<Run>) -> Result<(Dynamic, State)> {
        let script = &self.script;
        let modules = Modules::of_input(script, state.texts());
        check::refuse_input(script, &state.around(), &modules)?;
        let mut engine = engine::build(run, modules.clone(), &Limits::none());
        state.equip(&mut engine);
        last::name(&mut engine, &script.source);
        let mut state = state.for_run(run);
        let ast = self.compile(&engine, &state)?;
        let value: Dynamic = engine
            .eval_ast_with_scope(state.scope_mut(), &ast)
            .map_err(|error| diagnose::of_running(&error, script, &modules))?;
        let value = value.flatten();
        state.keep_functions(&script.label, &script.source, &ast);
        for (alias, path) in imports(&ast) {
            let module = modules
                .resolve(&engine, Some(&script.label), path, rhai::Position::NONE)
                .map_err(|error| diagnose::of_running(&error, script, &modules))?;
            state.keep_import(alias, module);
        }
        state.keep_texts(modules.texts());
        state.keep_last(value.clone());
        Ok((value, state))
    }

    fn compile(&self, engine: &Engine, state: &State) -> Result<AST> {
        let mut ast = engine
            .compile_with_scope(state.scope(), self.script.code())
            .map_err(|error| diagnose::of_parsing(&error, &self.script.label, &self.script.source))?;
        ast.set_source(self.script.label.as_str());
        Ok(ast)
    }
}

/// The imports at the top level, each with its alias.
fn imports(ast: &AST) -> impl Iterator<Item = (&str, &str)> {
    ast.statements().iter().filter_map(|statement| match statement {
        Stmt::Import(import, _) => match &import.0 {
            Expr::StringConstant(path, _) if !import.1.name.is_empty() => Some((import.1.name.as_str(), path.as_str())),
            _ => None,
        },
        _ => None,
    })
}
