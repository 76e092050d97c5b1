//! What every run gets from the process: clock and randomness; and what every session, its patience.

use std::time::Duration;

#[cfg(feature = "fixed-world")]
use crate::error::{Code, Error};
use crate::{error::Result, operations::World};

#[cfg(not(feature = "fixed-world"))]
#[expect(clippy::unnecessary_wraps, reason = "the world of the tests can be misnamed")]
pub(super) fn world() -> Result<World> {
    Ok(World::system())
}

/// Tests name a world by number, so that each command of a transcript has a time and ids of its own, or the system's,
/// with a clock that is some seconds ahead: `now`, `now+90`, `now-5`.
#[cfg(feature = "fixed-world")]
pub(super) fn world() -> Result<World> {
    let Ok(name) = std::env::var("MASCTL_FIXED_WORLD") else {
        return Ok(World::system());
    };
    let world = match name.strip_prefix("now") {
        Some("") => Some(World::system()),
        Some(seconds) => seconds.parse().ok().map(World::ahead),
        None => name.parse().ok().map(World::fixed),
    };
    world.ok_or_else(|| {
        Error::new(
            Code::ArgumentInvalid,
            "MASCTL_FIXED_WORLD takes a number, or now+SECONDS",
        )
    })
}

/// How long a session keeps a connection that nobody uses.
const IDLE: Duration = Duration::from_mins(5);

#[cfg(not(feature = "fixed-world"))]
#[expect(clippy::unnecessary_wraps, reason = "the patience of the tests can be misspelt")]
pub(super) fn idle() -> Result<Duration> {
    Ok(IDLE)
}

/// How long a session keeps a connection that nobody uses; tests say in seconds how long.
#[cfg(feature = "fixed-world")]
pub(super) fn idle() -> Result<Duration> {
    let Ok(seconds) = std::env::var("MASCTL_IDLE_SECONDS") else {
        return Ok(IDLE);
    };
    let idle = seconds
        .parse()
        .ok()
        .and_then(|seconds| Duration::try_from_secs_f64(seconds).ok());
    idle.ok_or_else(|| Error::new(Code::ArgumentInvalid, "MASCTL_IDLE_SECONDS takes a number of seconds"))
}
