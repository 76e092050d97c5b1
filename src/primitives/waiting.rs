//! `sleep`: Rhai's own cannot be interrupted.

use std::time::Duration;

use rhai::{Engine, NativeCallContext};

use super::{Scripted, call_freely};

/// Makes `sleep` end with Ctrl-C, and with the time that a test may take.
pub(super) fn register(engine: &mut Engine) {
    engine.register_fn("sleep", |context: NativeCallContext, seconds: i64| -> Scripted<()> {
        sleep(
            &context,
            Duration::from_secs(u64::try_from(seconds).unwrap_or_default()),
        )
    });
    engine.register_fn("sleep", |context: NativeCallContext, seconds: f64| -> Scripted<()> {
        // What is more than a clock counts is for ever.
        let longest = if seconds > 0.0 { Duration::MAX } else { Duration::ZERO };
        sleep(&context, Duration::try_from_secs_f64(seconds).unwrap_or(longest))
    });
}

fn sleep(context: &NativeCallContext, duration: Duration) -> Scripted<()> {
    call_freely(context, |run| {
        run.wait(async {
            tokio::time::sleep(duration).await;
            Ok(())
        })
    })
}
