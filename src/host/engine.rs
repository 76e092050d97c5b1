//! The Rhai engine: limits, primitives, modules.

use std::sync::Arc;

use rhai::{Dynamic, Engine, ModuleResolver, OptimizationLevel};

use super::modules::Modules;
use crate::{
    error::{Code, Error},
    operations::Run,
    primitives,
};

/// The stack of the thread that runs a script: deep enough for the call levels below, in a debug build as well.
pub(super) const STACK: usize = 64 << 20;

/// An engine whose scripts act on `run`.
pub(super) fn build(run: &Arc<Run>, modules: Modules) -> Engine {
    let mut engine = bare(modules);
    engine.set_default_tag(Dynamic::from(run.clone()));
    let watched = run.clone();
    engine.on_progress(move |_| {
        watched
            .is_interrupted()
            .then(|| Dynamic::from(Error::new(Code::RunInterrupted, "Interrupted: nothing was changed")))
    });
    let (printing, debugging) = (run.clone(), run.clone());
    engine.on_print(move |text| printing.console().say(text));
    engine.on_debug(move |text, _, position| debugging.console().say(&format!("{position:?} {text}")));
    engine
}

/// An engine that can compile every script, but has no run.
pub(super) fn bare(modules: impl ModuleResolver + 'static) -> Engine {
    let mut engine = Engine::new();
    engine
        .set_strict_variables(true)
        .set_fail_on_invalid_map_property(true)
        .set_max_call_levels(128)
        .set_max_expr_depths(256, 256)
        .set_max_modules(64)
        .set_max_string_size(16 << 20)
        .set_max_array_size(2_000_000)
        .set_max_map_size(200_000)
        // A higher level may call primitives while it compiles.
        .set_optimization_level(OptimizationLevel::Simple)
        .disable_symbol("eval")
        .set_module_resolver(modules);
    primitives::register(&mut engine);
    engine
}
