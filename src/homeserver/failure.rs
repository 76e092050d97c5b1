//! What is said of users and devices that the homeserver lacks, or does not take.

use crate::error::{Code, Error};

/// The most characters of a name that are shown.
const NAME_LIMIT: usize = 300;

/// There is no such user.
pub(super) fn unknown_user(localpart: &str) -> Error {
    missing(format!("The homeserver has no user `{}` yet", name(localpart)))
}

/// There is no such device, or no such user: the answers are too much alike to tell.
pub(super) fn unknown_device(localpart: &str, device_id: &str) -> Error {
    unknown(localpart, &format!("device `{}`", name(device_id)))
}

/// The user lacks what a call is about, or is not there itself.
pub(super) fn unknown(localpart: &str, what: &str) -> Error {
    let localpart = name(localpart);
    missing(format!(
        "The homeserver has no user `{localpart}` yet, or the user has no {what} there"
    ))
}

fn missing(message: String) -> Error {
    Error::new(Code::HomeserverFailed, message).help(
        "MAS makes it there with a job: see `masctl manage list-jobs`, or run `masctl manage provision-all-users`.",
    )
}

/// No user of this name can be made.
pub(super) fn impossible_user(localpart: &str, why: &str) -> Error {
    let message = format!("The homeserver makes no user `{}`: {why}", name(localpart));
    Error::new(Code::HomeserverFailed, message).help(
        "The account of MAS cannot be used with this homeserver. Names that differ only by case count as the same.",
    )
}

/// A device whose id no path can hold.
pub(super) fn unspeakable(device_id: &str) -> Error {
    let device_id = name(device_id);
    Error::new(
        Code::HomeserverUnsupported,
        format!("With `matrix.kind: synapse_legacy`, a device with the id `{device_id}` cannot be renamed"),
    )
}

fn name(name: &str) -> String {
    name.escape_debug().take(NAME_LIMIT).collect()
}
