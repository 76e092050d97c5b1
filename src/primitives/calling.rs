//! Rhai's own functions that call one of the script's, done again: an error that nothing may catch stays one.
//!
//! Rhai's put whatever the function fails with into an error that `catch` takes: limits, denials, Ctrl-C.

use std::mem;

use rhai::{
    Array, Dynamic, Engine, EvalAltResult, FnPtr, FuncRegistration, ImmutableString, Map, NativeCallContext,
    RhaiNativeFunc,
};

use super::Scripted;

/// An error that nothing may catch without what was put around it, and any other as it is.
pub(super) fn laid_bare(error: EvalAltResult) -> EvalAltResult {
    if is_fatal(&error) { innermost(error) } else { error }
}

fn is_fatal(error: &EvalAltResult) -> bool {
    match error {
        EvalAltResult::ErrorInFunctionCall(_, _, inner, _) | EvalAltResult::ErrorInModule(_, inner, _) => {
            is_fatal(inner)
        }
        other => other.is_system_exception(),
    }
}

fn innermost(error: EvalAltResult) -> EvalAltResult {
    match error {
        EvalAltResult::ErrorInFunctionCall(_, _, inner, _) | EvalAltResult::ErrorInModule(_, inner, _) => {
            innermost(*inner)
        }
        other => other,
    }
}

/// A function of the script's that is called for the items of a list or map.
struct Callee<'a> {
    /// Who calls it.
    caller: &'static str,
    context: &'a NativeCallContext<'a>,
    function: FnPtr,
}

impl Callee<'_> {
    /// Calls it with an item of a list, which is `this` to it or its first argument, and with its place if it takes that.
    fn of_item(&self, item: &mut Dynamic, at: usize) -> Scripted<Dynamic> {
        self.call(Some(item), [], [place(at)], Some(0))
    }

    /// As [`Self::of_item`], whether it says yes.
    fn agrees(&self, item: &mut Dynamic, at: usize) -> Scripted<bool> {
        Ok(self.of_item(item, at)?.as_bool().unwrap_or(false))
    }

    /// Calls it with a value of a map, which is `this` to it or its second argument, and with its key.
    fn of_entry(&self, key: &str, value: &mut Dynamic) -> Scripted<Dynamic> {
        self.call(Some(value), [key.into()], [], Some(1))
    }

    fn agrees_with_entry(&self, key: &str, value: &mut Dynamic) -> Scripted<bool> {
        Ok(self.of_entry(key, value)?.as_bool().unwrap_or(false))
    }

    fn call<const N: usize, const E: usize>(
        &self,
        this: Option<&mut Dynamic>,
        given: [Dynamic; N],
        more: [Dynamic; E],
        this_at: Option<usize>,
    ) -> Scripted<Dynamic> {
        self.function
            .call_raw_with_extra_args(self.caller, self.context, this, given, more, this_at)
            .map_err(|error| laid_bare(*error).into())
    }
}

fn place(at: usize) -> Dynamic {
    i64::try_from(at).unwrap_or(i64::MAX).into()
}

/// The first place from `start` on, which counts from the end where it is negative.
fn first(length: usize, start: i64) -> usize {
    let distance = usize::try_from(start.unsigned_abs()).unwrap_or(usize::MAX);
    if start < 0 {
        length.saturating_sub(distance)
    } else {
        distance.min(length)
    }
}

/// Registers one that takes a function, or its name, and whether it may be called on a constant.
macro_rules! register {
    ($engine:expr, $pure:literal, $name:literal, $of:ty, |$callee:ident, $items:ident $(, $more:ident: $kind:ty)*| $body:expr) => {{
        let called = |context: NativeCallContext, $items: &mut $of, function: FnPtr $(, $more: $kind)*| {
            let $callee = Callee { caller: $name, context: &context, function };
            $body
        };
        add($engine, $pure, $name, called);
        let by_name = move |context: NativeCallContext, items: &mut $of, name: ImmutableString $(, $more: $kind)*| {
            called(context, items, FnPtr::new(name)? $(, $more)*)
        };
        add($engine, $pure, $name, by_name);
    }};
}

fn add<A: 'static, const N: usize, const X: bool, R, const F: bool>(
    engine: &mut Engine,
    is_pure: bool,
    name: &str,
    function: impl RhaiNativeFunc<A, N, X, R, F> + Send + Sync + 'static,
) where
    R: rhai::Variant + Clone,
{
    FuncRegistration::new(name)
        .with_purity(is_pure)
        .register_into_engine(engine, function);
}

pub(super) fn register(engine: &mut Engine) {
    register_walks(engine);
    register_searches(engine);
    register_folds(engine);
    register_divisions(engine);
    register_of_maps(engine);
}

fn register_walks(engine: &mut Engine) {
    register!(engine, false, "for_each", Array, |callee, items| {
        for (at, item) in items.iter_mut().enumerate() {
            let _ = callee.call(Some(item), [], [place(at)], None)?;
        }
        Scripted::Ok(())
    });
    register!(engine, true, "map", Array, |callee, items| {
        let items = items.iter_mut().enumerate();
        items
            .map(|(at, item)| callee.of_item(item, at))
            .collect::<Scripted<Array>>()
    });
    register!(engine, true, "filter", Array, |callee, items| {
        let mut kept = Array::new();
        for (at, item) in items.iter_mut().enumerate() {
            if callee.agrees(item, at)? {
                kept.push(item.clone());
            }
        }
        Scripted::Ok(kept)
    });
    let zip = |context: NativeCallContext, items: &mut Array, others: Array, function: FnPtr| {
        let callee = Callee {
            caller: "zip",
            context: &context,
            function,
        };
        let pairs = items.iter().zip(others).enumerate();
        pairs
            .map(|(at, (one, other))| callee.call(None, [one.clone(), other], [place(at)], None))
            .collect::<Scripted<Array>>()
    };
    add(engine, true, "zip", zip);
}

fn register_searches(engine: &mut Engine) {
    register!(engine, true, "some", Array, |callee, items| {
        Scripted::Ok(index_of(&callee, items, 0)?.is_some())
    });
    register!(engine, true, "all", Array, |callee, items| {
        for (at, item) in items.iter_mut().enumerate() {
            if !callee.agrees(item, at)? {
                return Ok(false);
            }
        }
        Scripted::Ok(true)
    });
    register!(engine, true, "index_of", Array, |callee, items| {
        Scripted::Ok(found_at(index_of(&callee, items, 0)?))
    });
    register!(engine, true, "index_of", Array, |callee, items, start: i64| {
        Scripted::Ok(found_at(index_of(&callee, items, start)?))
    });
    register!(engine, true, "find", Array, |callee, items| find(&callee, items, 0));
    register!(engine, true, "find", Array, |callee, items, start: i64| find(
        &callee, items, start
    ));
    register!(engine, true, "find_map", Array, |callee, items| find_map(
        &callee, items, 0
    ));
    register!(engine, true, "find_map", Array, |callee, items, start: i64| {
        find_map(&callee, items, start)
    });
}

fn index_of(callee: &Callee, items: &mut Array, start: i64) -> Scripted<Option<usize>> {
    let start = first(items.len(), start);
    for (at, item) in items.iter_mut().enumerate().skip(start) {
        if callee.agrees(item, at)? {
            return Ok(Some(at));
        }
    }
    Ok(None)
}

fn found_at(at: Option<usize>) -> i64 {
    at.and_then(|at| i64::try_from(at).ok()).unwrap_or(-1)
}

fn find(callee: &Callee, items: &mut Array, start: i64) -> Scripted<Dynamic> {
    let found = index_of(callee, items, start)?;
    Ok(found.map_or(Dynamic::UNIT, |at| items[at].clone()))
}

fn find_map(callee: &Callee, items: &mut Array, start: i64) -> Scripted<Dynamic> {
    let start = first(items.len(), start);
    for (at, item) in items.iter_mut().enumerate().skip(start) {
        let found = callee.of_item(item, at)?;
        if !found.is_unit() {
            return Ok(found);
        }
    }
    Ok(Dynamic::UNIT)
}

fn register_folds(engine: &mut Engine) {
    register!(engine, true, "reduce", Array, |callee, items| fold(
        &callee,
        items,
        false,
        Dynamic::UNIT
    ));
    register!(engine, true, "reduce", Array, |callee, items, initial: Dynamic| {
        fold(&callee, items, false, initial)
    });
    register!(engine, true, "reduce_rev", Array, |callee, items| {
        fold(&callee, items, true, Dynamic::UNIT)
    });
    register!(engine, true, "reduce_rev", Array, |callee, items, initial: Dynamic| {
        fold(&callee, items, true, initial)
    });
}

/// What the function makes of what it made of the items before, and of the next item.
fn fold(callee: &Callee, items: &mut Array, backwards: bool, mut result: Dynamic) -> Scripted<Dynamic> {
    let length = items.len();
    for step in 0..length {
        let at = if backwards { length - 1 - step } else { step };
        result = callee.call(Some(&mut items[at]), [result], [place(at)], Some(1))?;
    }
    Ok(result)
}

fn register_divisions(engine: &mut Engine) {
    register!(engine, false, "drain", Array, |callee, items| divide(
        &callee, items, true
    ));
    register!(engine, false, "retain", Array, |callee, items| divide(
        &callee, items, false
    ));
}

/// Takes the items out for which the function says so. Where it fails, those stay that it was not asked about.
fn divide(callee: &Callee, items: &mut Array, taken: bool) -> Scripted<Array> {
    let (mut kept, mut out) = (Array::new(), Array::new());
    let mut rest = mem::take(items).into_iter().enumerate();
    let mut failure = None;
    for (at, mut item) in rest.by_ref() {
        match callee.agrees(&mut item, at) {
            Ok(agrees) if agrees == taken => out.push(item),
            Ok(_) => kept.push(item),
            Err(error) => {
                kept.push(item);
                failure = Some(error);
                break;
            }
        }
    }
    kept.extend(rest.map(|(_, item)| item));
    *items = kept;
    failure.map_or(Ok(out), Err)
}

fn register_of_maps(engine: &mut Engine) {
    register!(engine, true, "map", Map, |callee, fields| {
        let mapped = fields
            .iter_mut()
            .map(|(key, value)| Ok((key.clone(), callee.of_entry(key, value)?)));
        mapped.collect::<Scripted<Map>>()
    });
    register!(engine, true, "filter", Map, |callee, fields| {
        let mut kept = Map::new();
        for (key, value) in fields.iter_mut() {
            if callee.agrees_with_entry(key, value)? {
                kept.insert(key.clone(), value.clone());
            }
        }
        Scripted::Ok(kept)
    });
    register!(engine, false, "drain", Map, |callee, fields| divide_map(
        &callee, fields, true
    ));
    register!(engine, false, "retain", Map, |callee, fields| divide_map(
        &callee, fields, false
    ));
}

/// As [`divide`], of a map.
fn divide_map(callee: &Callee, fields: &mut Map, taken: bool) -> Scripted<Map> {
    let (mut kept, mut out) = (Map::new(), Map::new());
    let mut rest = mem::take(fields).into_iter();
    let mut failure = None;
    for (key, mut value) in rest.by_ref() {
        match callee.agrees_with_entry(&key, &mut value) {
            Ok(agrees) if agrees == taken => {
                out.insert(key, value);
            }
            Ok(_) => {
                kept.insert(key, value);
            }
            Err(error) => {
                kept.insert(key, value);
                failure = Some(error);
                break;
            }
        }
    }
    kept.extend(rest);
    *fields = kept;
    failure.map_or(Ok(out), Err)
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Each call that takes a function, of each kind that scripts have.
    const CALLS: &[&str] = &[
        "[1, 2, 3].map(|n| n * 2)",
        "[1, 2, 3].map(|n, at| n * at)",
        "[1, 2, 3].map(|| this + 1)",
        "[1, 2, 3].filter(|n| n > 1)",
        "[1, 2, 3].filter(|n, at| at > 1)",
        "[1, 2, 3].filter(|n| 4)",
        "let sum = 0; [1, 2, 3].for_each(|at| sum += this * at); sum",
        "let list = [1, 2]; list.for_each(|| this += 1); list",
        "[1, 2, 3].zip([4, 5], |one, other| one * other)",
        "[1, 2, 3].zip([4, 5], |one, other, at| one * other * at)",
        "[[1, 2].some(|n| n > 1), [1, 2].some(|n| n > 2), [].some(|n| true)]",
        "[[1, 2].all(|n| n > 1), [1, 2].all(|n| n > 0), [].all(|n| false)]",
        "[[1, 2, 1].index_of(|n| n == 1, 1), [1, 2, 1].index_of(|n| n == 1, -2), [1].index_of(|n| n == 1, 9)]",
        "[[1, 2, 1].index_of(|n| n == 1), [1].index_of(|n| n == 2), [1, 2].index_of(|n| n == 1, -9)]",
        "[[1, 2].find(|n| n > 1), [1, 2].find(|n| n > 2), [5, 1].find(|n| n > 1, 1), [5, 1].find(|n| n > 1, -2)]",
        "[[1, 2].find_map(|n| if n > 1 { n * 2 }), [1, 2].find_map(|n| ()), [1, 2].find_map(|n, at| at, 1)]",
        "[1, 2, 3].reduce(|sum, n| (sum ?? 0) + n)",
        "[1, 2, 3].reduce(|sum, n| sum * 10 + n, 5)",
        "[1, 2, 3].reduce(|sum, n, at| sum * 10 + n * at, 5)",
        "[1, 2, 3].reduce_rev(|sum, n| sum * 10 + n, 5)",
        "[1, 2, 3].reduce_rev(|sum, n, at| sum * 10 + n * at, 5)",
        "[[].reduce(|sum, n| n), [].reduce_rev(|sum, n| n, 7)]",
        "let list = [1, 2, 3, 4]; let out = list.drain(|n| n % 2 == 0); [list, out]",
        "let list = [1, 2, 3, 4]; let out = list.drain(|n, at| at < 2); [list, out]",
        "let list = [1, 2, 3, 4]; let out = list.retain(|n| n % 2 == 0); [list, out]",
        "let list = [1, 2, 3, 4]; let out = list.retain(|n, at| at > 2); [list, out]",
        "let list = [1, 2]; list.drain(|| { this += 1; false }); list",
        "#{ a: 1, b: 2 }.map(|key, n| key + n)",
        "#{ a: 1, b: 2 }.map(|key| key + this)",
        "#{ a: 1, b: 2 }.filter(|key, n| n > 1)",
        "#{ a: 1, b: 2 }.filter(|key| key == \"a\")",
        "let map = #{ a: 1, b: 2 }; let out = map.drain(|key, n| n > 1); [map, out]",
        "let map = #{ a: 1, b: 2 }; let out = map.retain(|key, n| n > 1); [map, out]",
        "const LIST = [1, 2]; LIST.map(|n| n + 1)",
        "[[].map(|n| n), #{}.map(|n| n), [].drain(|n| n), #{}.retain(|n| n)]",
        "fn odd(n) { n % 2 == 1 } [[1, 2].filter(\"odd\"), [1, 2].map(odd), [1, 2].index_of(\"odd\", 1)]",
        "fn odd(n) { n % 2 == 1 } [[1, 2].some(\"odd\"), [1, 2].all(\"odd\"), [1, 2].drain(\"odd\"), [1, 2].retain(\"odd\")]",
        "fn sum(a, b) { (a ?? 0) + b } [[1, 2].reduce(\"sum\"), [1, 2].reduce(\"sum\", 3), [1, 2].reduce_rev(\"sum\", 4)]",
    ];

    #[test]
    fn they_do_what_those_of_rhai_do() {
        let (plain, mut ours) = (Engine::new(), Engine::new());
        register(&mut ours);
        for script in CALLS {
            let wanted = plain.eval::<Dynamic>(script).map(|value| format!("{value:?}"));
            let found = ours.eval::<Dynamic>(script).map(|value| format!("{value:?}"));
            assert_eq!(found.unwrap(), wanted.unwrap(), "{script}");
        }
        let constant = "const LIST = [1, 2]; LIST.drain(|n| true)";
        assert_eq!(
            ours.eval::<Dynamic>(constant).unwrap_err().to_string(),
            plain.eval::<Dynamic>(constant).unwrap_err().to_string()
        );
    }

    /// In the place of `|…| X` each of them is called with a function that fails so.
    #[test]
    fn what_nothing_may_catch_is_not_caught() {
        let mut engine = Engine::new();
        engine.set_max_call_levels(16).set_max_string_size(1000);
        register(&mut engine);
        let helpers = "fn deep(n) { deep(n) } fn long() { let text = \"xxxxxxxx\"; loop { text += text; } } fn thrown() { throw 1 }";
        let calls = [
            "[1].map(|n| X)",
            "[1].filter(|n| X)",
            "[1].for_each(|| X)",
            "[1].zip([1], |one, other| X)",
            "[1].some(|n| X)",
            "[1].all(|n| X)",
            "[1].index_of(|n| X)",
            "[1].index_of(|n| X, 0)",
            "[1].find(|n| X)",
            "[1].find(|n| X, 0)",
            "[1].find_map(|n| X)",
            "[1].find_map(|n| X, 0)",
            "[1].reduce(|sum, n| X)",
            "[1].reduce(|sum, n| X, 0)",
            "[1].reduce_rev(|sum, n| X)",
            "[1].reduce_rev(|sum, n| X, 0)",
            "[1].drain(|n| X)",
            "[1].retain(|n| X)",
            "#{ a: 1 }.map(|key, n| X)",
            "#{ a: 1 }.filter(|key, n| X)",
            "#{ a: 1 }.drain(|key, n| X)",
            "#{ a: 1 }.retain(|key, n| X)",
        ];
        for call in calls {
            for (failure, is_caught) in [("deep(1)", false), ("long()", false), ("thrown()", true)] {
                let script = format!("{helpers} try {{ {}; }} catch {{ }} 1", call.replace('X', failure));
                assert_eq!(engine.eval::<i64>(&script).is_ok(), is_caught, "{script}");
            }
        }
        let by_name = format!("{helpers} try {{ [1].map(\"deep\"); }} catch {{ }} 1");
        assert!(engine.eval::<i64>(&by_name).is_err());
    }

    #[test]
    fn a_list_that_was_not_divided_to_the_end_loses_nothing() {
        let mut engine = Engine::new();
        register(&mut engine);
        let script =
            "let list = [1, 2, 3, 4]; try { list.drain(|n| if n == 3 { throw 1 } else { n == 1 }); } catch {} list";
        let list: Array = engine.eval(script).unwrap();
        assert_eq!(format!("{list:?}"), "[2, 3, 4]");
        let script = "let map = #{ a: 1, b: 2, c: 3 }; try { map.retain(|k, n| if n == 2 { throw 1 } else { false }); } catch {} map";
        let map: Map = engine.eval(script).unwrap();
        assert_eq!(map.len(), 2);
    }
}
