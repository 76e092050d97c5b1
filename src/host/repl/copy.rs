//! A copy of variables that shares nothing with them that a script can change.

use std::{
    collections::{HashMap, HashSet},
    sync::Arc,
};

use rhai::{Array, Dynamic, FnPtr, Map, Scope};

use crate::{operations::Run, primitives::in_run};

/// Copies the variables that can be seen, for the inputs of a run: lazy lists are read in it from then on.
pub(super) fn scope(variables: &Scope<'_>, run: &Arc<Run>) -> Scope<'static> {
    let mut copier = Copier {
        run,
        cells: HashMap::new(),
    };
    let mut fresh = Scope::new();
    for (name, is_constant, value) in visible(variables).into_iter().rev() {
        let value = copier.copy(value);
        if is_constant {
            fresh.push_constant_dynamic(name, value);
        } else {
            fresh.push_dynamic(name, value);
        }
    }
    fresh
}

/// The variables that can be seen, the newest first: of those of one name that is the newest.
pub(super) fn visible<'scope>(variables: &'scope Scope<'_>) -> Vec<(&'scope str, bool, &'scope Dynamic)> {
    let mut seen = HashSet::new();
    let all = variables.iter_raw();
    all.filter(|(name, ..)| seen.insert(*name)).collect()
}

struct Copier<'run> {
    run: &'run Arc<Run>,
    /// The copy of each cell that closures and variables share, by the place of what is in it.
    cells: HashMap<*const Dynamic, Dynamic>,
}

impl Copier<'_> {
    fn copy(&mut self, value: &Dynamic) -> Dynamic {
        if value.is_shared() {
            return self.cell(value);
        }
        if let Some(array) = value.read_lock::<Array>() {
            return array.iter().map(|item| self.copy(item)).collect::<Array>().into();
        }
        if let Some(map) = value.read_lock::<Map>() {
            let entries = map.iter().map(|(key, item)| (key.clone(), self.copy(item)));
            return entries.collect::<Map>().into();
        }
        if let Some(pointer) = value.read_lock::<FnPtr>() {
            let mut copied = pointer.clone();
            copied.set_curry(pointer.curry().iter().map(|item| self.copy(item)));
            return copied.into();
        }
        in_run(value, self.run).unwrap_or_else(|| value.clone())
    }

    /// A closure may be held by a variable that it holds itself.
    fn cell(&mut self, value: &Dynamic) -> Dynamic {
        let Some(held) = value.read_lock::<Dynamic>() else {
            return Dynamic::UNIT;
        };
        let place: *const Dynamic = &raw const *held;
        if let Some(known) = self.cells.get(&place) {
            return known.clone();
        }
        let inside = held.clone();
        drop(held);
        let mut cell = Dynamic::UNIT.into_shared();
        self.cells.insert(place, cell.clone());
        let copied = self.copy(&inside);
        if let Some(mut held) = cell.write_lock::<Dynamic>() {
            *held = copied;
        }
        cell
    }
}
