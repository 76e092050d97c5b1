//! What a chain comes to, as far as it can be walked in data. Nothing is run for it, and nothing read.

use rhai::{Array, Dynamic, Map};

use super::{
    chain::{Chain, Start, Step},
    code::Code,
    declared::{Declared, Holds},
    sources::{Shape, Sources},
};
use crate::{
    host::{check::known::Type, repl::State},
    primitives,
};

/// How often a variable may be said to be what another one is.
const DEEPEST: usize = 16;

/// Methods of arrays that give one of the items.
const ONE: [&str; 5] = ["find", "get", "pop", "remove", "shift"];

/// Methods of arrays that give some of the items.
const SOME: [&str; 4] = ["drain", "extract", "filter", "retain"];

/// What a chain comes to.
#[derive(Clone, Copy, Debug)]
pub(super) enum Found<'value> {
    /// This very value.
    Value(&'value Dynamic),
    /// A value of which only this is known.
    Shape(Shape),
    /// A map with these keys.
    Keys(&'value [&'value str]),
}

/// All that names before the cursor can mean.
pub(super) struct Names<'a, 'text> {
    pub(super) state: &'a State,
    pub(super) sources: &'static Sources,
    pub(super) code: &'a Code<'text>,
    pub(super) declared: &'a Declared<'text>,
}

/// What is done with what was found.
type Then<'a> = &'a mut dyn FnMut(Found<'_>);

impl<'text> Names<'_, 'text> {
    /// Tells what the chain before a token comes to.
    pub(super) fn before(&self, end: usize, then: Then<'_>) {
        let found = Chain::before(self.code, end);
        self.of(found, self.declared.variables.len(), DEEPEST, then);
    }

    /// Tells what a name means at the cursor.
    pub(super) fn called(&self, name: &str, then: Then<'_>) {
        self.variable(name, self.declared.variables.len(), DEEPEST, then);
    }

    fn of(&self, chain: Option<Chain<'text>>, newest: usize, depth: usize, then: Then<'_>) {
        let (Some(chain), Some(depth)) = (chain, depth.checked_sub(1)) else {
            return then(Found::Shape(Shape::UNKNOWN));
        };
        let steps = &chain.steps;
        match chain.start {
            Start::Variable(name) => self.variable(name, newest, depth, &mut |found| self.walk(found, steps, then)),
            Start::Call("", name) if self.is_of_session(name) => then(Found::Shape(Shape::UNKNOWN)),
            Start::Call(place, name) => {
                let is_import = !self.sources.has_namespace(place) && !place.is_empty();
                let given = if is_import {
                    Shape::UNKNOWN
                } else {
                    self.sources.given_by(place, name)
                };
                self.walk(Found::Shape(given), steps, then);
            }
            Start::Literal(kind) => self.walk(Found::Shape(Shape::Of(Type::Of(kind))), steps, then),
            Start::Map(keys) => self.walk(Found::Keys(&keys), steps, then),
        }
    }

    /// Whether a function of the session or of the input is called so.
    fn is_of_session(&self, name: &str) -> bool {
        let own = self.declared.functions.iter().any(|function| function.name == name);
        own || super::names::functions(self.state)
            .iter()
            .any(|function| function.name == name)
    }

    fn variable(&self, name: &str, newest: usize, depth: usize, then: Then<'_>) {
        let hidden = self.declared.hidden.unwrap_or_default();
        let declared = self.declared.variables.iter().enumerate().take(newest);
        let mut visible = declared
            .skip(hidden)
            .rev()
            .filter(|(_, variable)| variable.name == name);
        if let Some((place, variable)) = visible.next() {
            let chain = |start, end| Chain::read(self.code, start, end);
            return match variable.holds {
                Holds::Anything => then(Found::Shape(Shape::UNKNOWN)),
                Holds::Number => then(Found::Shape(Shape::Of(Type::Of("int")))),
                Holds::Value(start, end) => self.of(chain(start, end), place, depth, then),
                Holds::ItemOf(start, end) => {
                    self.of(chain(start, end), place, depth, &mut |found| self.item(found, then));
                }
                Holds::ItemBefore(end) => {
                    let chain = Chain::before(self.code, end);
                    self.of(chain, place, depth, &mut |found| self.item(found, then));
                }
            };
        }
        let value = self.state.scope().get(name).filter(|_| self.declared.hidden.is_none());
        match value {
            Some(value) => then(Found::Value(value)),
            None => then(Found::Shape(Shape::UNKNOWN)),
        }
    }

    /// What is walked, or any of what is in a list.
    fn item(&self, found: Found<'_>, then: Then<'_>) {
        match found {
            Found::Value(value) => {
                if let Some(items) = value.read_lock::<Array>() {
                    return match items.first() {
                        Some(item) => then(Found::Value(item)),
                        None => then(Found::Shape(Shape::UNKNOWN)),
                    };
                }
                then(Found::Shape(self.sources.shape_of(value).item(true)));
            }
            Found::Shape(shape) => then(Found::Shape(shape.item(true))),
            Found::Keys(_) => then(Found::Shape(Shape::UNKNOWN)),
        }
    }

    fn walk(&self, found: Found<'_>, steps: &[Step<'_>], then: Then<'_>) {
        let Some((step, rest)) = steps.split_first() else {
            return then(found);
        };
        let Found::Value(value) = found else {
            let shape = match found {
                Found::Shape(shape) => self.step_of_shape(shape, step),
                _ => Shape::UNKNOWN,
            };
            return self.walk(Found::Shape(shape), rest, then);
        };
        if let Some(map) = value.read_lock::<Map>() {
            let (Step::Property(key) | Step::Key(key)) = step else {
                let shape = self.step_of_shape(Shape::Of(Type::Of("map")), step);
                return self.walk(Found::Shape(shape), rest, then);
            };
            return match map.get(*key) {
                Some(value) => self.walk(Found::Value(value), rest, then),
                None => then(Found::Shape(Shape::UNKNOWN)),
            };
        }
        if let (Step::At(_) | Step::Some, Some(items)) = (step, value.read_lock::<Array>()) {
            return match item_at(&items, step) {
                Some(item) => self.walk(Found::Value(item), rest, then),
                None => then(Found::Shape(Shape::UNKNOWN)),
            };
        }
        if let Step::Property(name) = step
            && let Some(field) = primitives::field(value, name).filter(|field| !field.is_unit())
        {
            return self.walk(Found::Value(&field), rest, then);
        }
        let shape = self.step_of_shape(self.sources.shape_of(value), step);
        self.walk(Found::Shape(shape), rest, then);
    }

    fn step_of_shape(&self, shape: Shape, step: &Step<'_>) -> Shape {
        match (shape, step) {
            (_, Step::Property(name)) => self.sources.property(shape.kind(), name),
            (Shape::ArrayOf(_), Step::Method(name)) if SOME.contains(name) => shape,
            (Shape::ArrayOf(_), Step::Method(name)) if ONE.contains(name) => shape.item(false),
            (_, Step::Method(name)) => self.sources.given_by_method(shape.kind(), name),
            (_, Step::At(_) | Step::Some) => shape.item(false),
            (_, Step::Key(_)) => Shape::UNKNOWN,
        }
    }
}

/// The item of a number, which counts from the end if it is negative; any if the number is not known.
fn item_at<'items>(items: &'items Array, step: &Step<'_>) -> Option<&'items Dynamic> {
    let &Step::At(number) = step else {
        return items.first();
    };
    let distance = usize::try_from(number.unsigned_abs()).ok()?;
    if number < 0 {
        items.get(items.len().checked_sub(distance)?)
    } else {
        items.get(distance)
    }
}
