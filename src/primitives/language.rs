//! Functions of Rhai's own that are not fit for a host as they are, done again: they end in a panic
//! or never, or swallow the error of a function that they call.

#![expect(
    clippy::needless_pass_by_value,
    reason = "Rhai hands over what it calls a function with"
)]

use rhai::{Array, Dynamic, Engine, EvalAltResult, FnPtr, ImmutableString, Map, NativeCallContext, Position};

use super::{
    Scripted,
    fields::{DEEPEST, to_value},
    raise,
};
use crate::error::{Code, Error};

pub(super) fn register(engine: &mut Engine) {
    engine
        .register_fn("pad", pad_list)
        .register_fn("pad", pad_text)
        .register_fn("sort", sort)
        .register_fn("sort_by", sort)
        .register_fn("dedup", dedup)
        .register_fn("to_json", to_json);
}

/// Rhai's own multiplies sizes that overflow, and then wants more memory than there is.
fn pad_list(context: NativeCallContext, list: &mut Array, length: i64, item: Dynamic) -> Scripted<()> {
    let length = usize::try_from(length).unwrap_or(0);
    if length <= list.len() {
        return Ok(());
    }
    let engine = context.engine();
    let Some((items, bytes)) = extent(&item, DEEPEST) else {
        return too_large("Size of array/BLOB");
    };
    if length.saturating_mul(1 + items) > engine.max_array_size()
        || length.saturating_mul(bytes) > engine.max_string_size()
    {
        return too_large("Size of array/BLOB");
    }
    list.resize(length, item);
    Ok(())
}

/// How many values there are in a value, and how many bytes of text; none if it is nested deeper.
fn extent(value: &Dynamic, depth: usize) -> Option<(usize, usize)> {
    let depth = depth.checked_sub(1)?;
    let all = |(items, bytes): (usize, usize), value: &Dynamic| {
        let (more_items, more_bytes) = extent(value, depth)?;
        Some((items + 1 + more_items, bytes + more_bytes))
    };
    if let Some(list) = value.read_lock::<Array>() {
        list.iter().try_fold((0, 0), all)
    } else if let Some(map) = value.read_lock::<Map>() {
        map.values().try_fold((0, 0), all)
    } else if let Some(bytes) = value.read_lock::<rhai::Blob>() {
        Some((bytes.len(), 0))
    } else {
        Some((0, value.read_lock::<ImmutableString>().map_or(0, |text| text.len())))
    }
}

/// Rhai's own never ends when it pads with nothing.
fn pad_text(context: NativeCallContext, text: &mut ImmutableString, length: i64, padding: &str) -> Scripted<()> {
    let length = usize::try_from(length).unwrap_or(0);
    let missing = length.saturating_sub(text.chars().count());
    if missing == 0 {
        return Ok(());
    }
    if padding.is_empty() {
        let error = Error::new(Code::ValueInvalid, "A text cannot be padded with nothing");
        return Err(raise(error, context.call_position()));
    }
    let most = context.engine().max_string_size();
    if text.len().saturating_add(missing) > most {
        return too_large("Length of string");
    }
    let mut padded = text.to_string();
    padded.extend(padding.chars().cycle().take(missing));
    if padded.len() > most {
        return too_large("Length of string");
    }
    *text = padded.into();
    Ok(())
}

fn too_large<T>(what: &str) -> Scripted<T> {
    Err(EvalAltResult::ErrorDataTooLarge(what.to_owned(), Position::NONE).into())
}

/// Sorts by what a function says of two items: a number that is below, at or above zero, or whether they stand as they
/// should. The list stays as it is where that fails, which Rhai's own takes for an answer.
fn sort(context: NativeCallContext, list: &mut Array, comparer: FnPtr) -> Scripted<()> {
    let mut in_order = |one: &Dynamic, other: &Dynamic| {
        let said: Dynamic = comparer.call_within_context(&context, (one.clone(), other.clone()))?;
        if let Ok(number) = said.as_int() {
            return Ok(number <= 0);
        }
        said.as_bool().map_err(|found| {
            let message = format!("What compares two items must return a number or a boolean, not {found}");
            raise(Error::new(Code::ValueInvalid, message), context.call_position())
        })
    };
    *list = merge_sort(list.clone(), &mut in_order)?;
    Ok(())
}

/// Unlike that of slices it neither minds answers that contradict each other, nor goes on after an error.
fn merge_sort(mut list: Array, in_order: &mut impl FnMut(&Dynamic, &Dynamic) -> Scripted<bool>) -> Scripted<Array> {
    if list.len() < 2 {
        return Ok(list);
    }
    let right = list.split_off(list.len() / 2);
    let mut left = merge_sort(list, in_order)?.into_iter().peekable();
    let mut right = merge_sort(right, in_order)?.into_iter().peekable();
    let mut merged = Array::with_capacity(left.len() + right.len());
    while let (Some(one), Some(other)) = (left.peek(), right.peek()) {
        let next = if in_order(one, other)? { &mut left } else { &mut right };
        merged.extend(next.next());
    }
    merged.extend(left);
    merged.extend(right);
    Ok(merged)
}

/// Keeps the first of each run of items that a function says are the same.
fn dedup(context: NativeCallContext, list: &mut Array, comparer: FnPtr) -> Scripted<()> {
    let mut kept = Array::new();
    for item in list.iter() {
        let is_same = match kept.last() {
            None => false,
            Some(before) => {
                let said: Dynamic = comparer.call_within_context(&context, (before.clone(), item.clone()))?;
                said.as_bool().unwrap_or(false)
            }
        };
        if !is_same {
            kept.push(item.clone());
        }
    }
    *list = kept;
    Ok(())
}

/// Rhai's own follows what closures hold, round and round where one holds itself.
fn to_json(context: NativeCallContext, map: &mut Map) -> Scripted<String> {
    let value = to_value(&Dynamic::from_map(map.clone()), false);
    let value = value.map_err(|error| raise(error, context.call_position()))?;
    Ok(value.to_string())
}
