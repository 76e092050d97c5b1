//! What every run gets from the process: a runtime, clock and randomness.

use tokio::runtime::{Builder, Runtime};

use crate::{
    error::{Code, Error, Result},
    operations::World,
};

/// Without threads of its own: an answer of the database wakes the one that waits for it, and no other first.
pub(super) fn runtime() -> Result<Runtime> {
    Builder::new_current_thread()
        .enable_all()
        .build()
        .map_err(|cause| Error::new(Code::Bug, format!("No runtime: {cause}")))
}

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
