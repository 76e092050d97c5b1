//! `import "std/…"`: the standard library that ships inside of the binary. Nothing else can be imported.

use std::{
    collections::HashMap,
    sync::{PoisonError, RwLock},
};

use rhai::{Engine, EvalAltResult, Module, ModuleResolver, Position, Scope, Shared};

use super::catalogue;

/// Resolves and keeps modules.
#[derive(Default)]
pub(super) struct Modules {
    loaded: RwLock<HashMap<String, Shared<Module>>>,
}

impl ModuleResolver for Modules {
    fn resolve(
        &self,
        engine: &Engine,
        _importer: Option<&str>,
        path: &str,
        position: Position,
    ) -> Result<Shared<Module>, Box<EvalAltResult>> {
        if let Some(module) = self.loaded.read().unwrap_or_else(PoisonError::into_inner).get(path) {
            return Ok(module.clone());
        }
        let source =
            catalogue::module(path).ok_or_else(|| EvalAltResult::ErrorModuleNotFound(path.to_owned(), position))?;
        let in_module = |error| EvalAltResult::ErrorInModule(path.to_owned(), error, position);
        let mut ast = engine.compile(source).map_err(|error| in_module(error.into()))?;
        ast.set_source(path);
        let module: Shared<Module> = Module::eval_ast_as_new(Scope::new(), &ast, engine)
            .map_err(in_module)?
            .into();
        self.loaded
            .write()
            .unwrap_or_else(PoisonError::into_inner)
            .insert(path.to_owned(), module.clone());
        Ok(module)
    }
}
