//! The Rhai engine: limits, primitives, modules.

use std::sync::{
    Arc,
    atomic::{AtomicU64, Ordering},
};

use rhai::{Dynamic, Engine, ModuleResolver, OptimizationLevel};

use super::{memory::Memory, modules::Modules};
use crate::{
    error::{Code, Error},
    operations::Run,
    primitives,
};

const GIB: usize = 1 << 30;

/// The stack of the thread that runs a script, in bytes: the first of these that the system grants. Only what is used of it
/// takes memory.
///
/// The last is deep enough for the call levels below, in a debug build as well. The first is deep enough to drop the longest
/// chain of closures, each of which holds the one before, that fits into the memory that a script may take: Rust drops it
/// by recursion, which takes up to twice the memory of the chain.
pub(super) const STACKS: [usize; 3] = [GIB.saturating_mul(4), GIB, 64 << 20];

/// How much scripts may do before they are stopped, beyond the limits of depth and size that always hold. How long they
/// may take is the run's to know.
#[derive(Clone, Debug, Default)]
pub(super) struct Limits {
    operations: Option<Arc<Operations>>,
}

#[derive(Debug)]
struct Operations {
    done: AtomicU64,
    most: u64,
}

impl Limits {
    /// None: whoever starts a script may wait for it as long as they like.
    pub(super) fn none() -> Self {
        Self::default()
    }

    /// At most so many operations, in all engines that this value is given to together.
    pub(super) fn of_operations(most: u64) -> Self {
        let done = AtomicU64::default();
        Self {
            operations: Some(Arc::new(Operations { done, most })),
        }
    }

    /// Counts one operation, and returns what is wrong if it is one too many.
    fn count(&self) -> Option<Error> {
        let operations = self.operations.as_deref()?;
        let done = operations.done.fetch_add(1, Ordering::Relaxed);
        (done >= operations.most).then(|| {
            let message = format!("It was not done after {} operations", operations.most);
            Error::new(Code::ScriptLimit, message)
        })
    }
}

/// An engine whose scripts act on `run`, within these limits.
pub(super) fn build(run: &Arc<Run>, modules: Modules, limits: &Limits) -> Engine {
    let mut engine = bare(modules);
    engine.set_default_tag(Dynamic::from(run.clone()));
    let (watched, limits, memory) = (run.clone(), limits.clone(), Memory::new());
    engine.on_progress(move |operations| {
        let stopped = watched.stop().or_else(|| limits.count());
        let stopped = stopped.or_else(|| memory.refuse(operations))?;
        watched.doom.see(&stopped);
        Some(Dynamic::from(stopped))
    });
    let (printing, debugging) = (run.clone(), run.clone());
    engine.on_print(move |text| printing.console().say(text));
    engine.on_debug(move |text, _, position| debugging.console().say(&format!("{position:?} {text}")));
    engine
}

/// An engine that can compile every script, but has no run.
pub(super) fn bare(modules: impl ModuleResolver + 'static) -> Engine {
    let mut engine = Engine::new();
    limit(&mut engine);
    engine.set_module_resolver(modules);
    primitives::register(&mut engine);
    engine
}

/// Sets what holds of every script.
pub(super) fn limit(engine: &mut Engine) {
    engine
        .set_strict_variables(true)
        .set_fail_on_invalid_map_property(true)
        .set_max_call_levels(128)
        .set_max_expr_depths(256, 256)
        .set_max_modules(64)
        .set_max_string_size(16 << 20)
        .set_max_array_size(2_000_000)
        .set_max_map_size(1_000_000)
        // A higher level may call primitives while it compiles.
        .set_optimization_level(OptimizationLevel::Simple)
        .disable_symbol("eval");
}
