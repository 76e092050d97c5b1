//! How values of Rust's are seen by scripts, and what the reference calls their types.

use rhai::{Array, Dynamic, Map};

use super::{Absent, Fields};
use crate::{
    model::Time,
    primitives::{Secret, documentation::type_name},
};

/// A value of a field.
pub(in crate::primitives) trait Shape {
    /// What the reference calls its type.
    fn kind() -> String;

    /// The value as scripts see it.
    fn shown(self) -> Dynamic;
}

/// The type of what a getter returns.
pub(super) fn kind_of<T, S: Shape>(_: fn(&T) -> S) -> String {
    S::kind()
}

macro_rules! shapes {
    ($($type:ty => $name:literal,)+) => {
        $(impl Shape for $type {
            fn kind() -> String {
                $name.to_owned()
            }

            fn shown(self) -> Dynamic {
                Dynamic::from(self)
            }
        })+
    };
}

shapes! {
    bool => "bool",
    i64 => "int",
    String => "String",
    Map => "Map",
    Secret => "Secret",
    Time => "Time",
}

impl Shape for &'static str {
    fn kind() -> String {
        String::kind()
    }

    fn shown(self) -> Dynamic {
        self.into()
    }
}

/// What is not known before it is there.
impl Shape for Dynamic {
    fn kind() -> String {
        "?".to_owned()
    }

    fn shown(self) -> Dynamic {
        self
    }
}

impl<S: Shape> Shape for Option<S> {
    fn kind() -> String {
        optional(S::kind())
    }

    fn shown(self) -> Dynamic {
        self.map_or(Dynamic::UNIT, S::shown)
    }
}

impl<S: Shape> Shape for Vec<S> {
    fn kind() -> String {
        format!("[{}]", S::kind())
    }

    fn shown(self) -> Dynamic {
        self.into_iter().map(S::shown).collect::<Array>().into()
    }
}

impl<T: Fields> Shape for T {
    fn kind() -> String {
        type_name::<T>().to_owned()
    }

    fn shown(self) -> Dynamic {
        Dynamic::from(self)
    }
}

/// A field that JSON and tables leave out if it is not there, or may not be read.
pub(super) struct Readable<S>(pub(super) Option<S>);

impl<S: Shape> Shape for Readable<S> {
    fn kind() -> String {
        optional(S::kind())
    }

    fn shown(self) -> Dynamic {
        self.0.map_or_else(|| Dynamic::from(Absent), S::shown)
    }
}

fn optional(kind: String) -> String {
    if kind.ends_with(" | ()") { kind } else { kind + " | ()" }
}
