//! `testing::`: make what a test needs, run scripts in it, and say what must be true. Scripts use it through
//! `std/fixture` and `std/assert`.

mod values;
mod wishes;

#[cfg_attr(
    not(test),
    expect(clippy::wildcard_imports, reason = "what the macro writes names all of it")
)]
use rhai::plugin::*;
use rhai::{Array, Dynamic, FnPtr, Map, Module, NativeCallContext};

use self::{
    values::{call_of, literal, plain},
    wishes::{account, client, job, provider, session, user},
};
use super::{Scripted, Secret, call_freely, calling::laid_bare, error_of, raise, run_of};
use crate::{
    error::{Result, shortened},
    model::{Client, Job, Link, Provider, Session, Time, User},
    operations::{self, testing::Stage},
};

pub(super) fn module() -> Module {
    exported_module!(testing)
}

/// How much of a value a message shows, in characters.
const LONGEST: usize = 500;

/// Runs a script. What it fails with is an error that the test may catch, whatever it is.
fn run_script(context: &NativeCallContext, script: &str, arguments: Map, dry_run: bool) -> Scripted<Dynamic> {
    let run = run_of(context)?;
    let performed = call_of(script, arguments, dry_run).and_then(|call| operations::testing::perform(&run, &call));
    match performed {
        Ok(result) => Ok(rhai::serde::to_dynamic(result)?),
        Err(error) => Err(match run.stop() {
            Some(why) => raise(why, context.call_position()),
            None => EvalAltResult::ErrorRuntime(Dynamic::from(error), context.call_position()).into(),
        }),
    }
}

/// Calls what is to fail, and returns the error that it ended in. A test that must not go on ends here as elsewhere.
fn caught(context: &NativeCallContext, deed: &FnPtr) -> Scripted<Dynamic> {
    let run = run_of(context)?;
    let stage = run.stage().map_err(|error| raise(error, context.call_position()))?;
    let called: Scripted<Dynamic> = deed.call_within_context(context, ());
    match (called, run.stop()) {
        (Err(_), Some(why)) => Err(raise(why, context.call_position())),
        (Err(error), None) => {
            let error = laid_bare(*error);
            if error.is_system_exception() {
                return Err(error.into());
            }
            drop(stage.take_failure());
            Ok(Dynamic::from(error_of(&error)))
        }
        (Ok(_), _) => Ok(Dynamic::UNIT),
    }
}

/// Refuses what is not the same.
fn compare(stage: &Stage, actual: &Dynamic, expected: &Dynamic) -> Result<()> {
    let (actual, expected) = (plain(actual)?, plain(expected)?);
    if actual == expected {
        return Ok(());
    }
    let (shown, wanted) = (literal(&actual), literal(&expected));
    let message = format!(
        "It is {}, not {}",
        shortened(&shown, LONGEST),
        shortened(&wanted, LONGEST)
    );
    Err(stage.fail(message).data("actual", actual).data("expected", expected))
}

#[export_module]
mod testing {
    /// Run a script as its command does, and return what its `main` returned, as its JSON has it.
    ///
    /// `./NAME` is the file NAME.rhai beside the test or in a folder below; a name alone is a shipped command. The
    /// arguments go by the script's header: what is not given has its default, and a value may be a text that the type
    /// takes, such as `"90d"` for a time. The script has the capabilities of its header and a transaction of its own,
    /// which is committed. It asks nobody: what would be asked about is done.
    ///
    /// Needs nothing. Fails with what the script fails with, `argument.invalid`, `argument.missing`,
    /// `script.not_found`, `test.outside`.
    ///
    /// ```rhai
    /// testing::user("alice", #{});
    /// testing::run("lock-user", #{ username: "alice" });
    /// testing::equal(users::get("alice").locked_at, testing::now());
    /// ```
    #[rhai_fn(return_raw)]
    pub fn run(context: NativeCallContext, script: &str, arguments: Map) -> Scripted<Dynamic> {
        super::run_script(&context, script, arguments, false)
    }

    /// Run a script as `run` does, as a dry run: everything is taken back at its end.
    ///
    /// Needs nothing. Fails with what the script fails with, `argument.invalid`, `argument.missing`,
    /// `script.not_found`, `test.outside`.
    ///
    /// ```rhai
    /// testing::user("alice", #{});
    /// testing::dry_run("lock-user", #{ username: "alice" });
    /// testing::equal(users::get("alice").locked_at, ());
    /// ```
    #[rhai_fn(return_raw)]
    pub fn dry_run(context: NativeCallContext, script: &str, arguments: Map) -> Scripted<Dynamic> {
        super::run_script(&context, script, arguments, true)
    }

    /// Do the jobs that wait, as MAS's worker would, and return how many were done, and why the others failed.
    ///
    /// Needs nothing. Fails with `test.outside`.
    ///
    /// ```rhai
    /// testing::user("alice", #{}).lock();
    /// testing::work();
    /// testing::equal(testing::homeserver_account("alice").locked, true);
    /// ```
    #[rhai_fn(return_raw)]
    pub fn work(context: NativeCallContext) -> Scripted<Map> {
        let summary = call_freely(&context, operations::testing::work)?;
        let failures = summary
            .failures
            .into_iter()
            .map(|failure| Dynamic::from(failure.reason));
        Ok(Map::from_iter([
            ("done".into(), super::values::count(summary.done)),
            ("retried".into(), super::values::count(summary.retried)),
            ("abandoned".into(), super::values::count(summary.abandoned)),
            ("failures".into(), failures.collect::<Array>().into()),
        ]))
    }

    /// Tell what was said to the person so far, line by line, warnings with `Warning: ` before them.
    ///
    /// Needs nothing. Fails with `test.outside`.
    ///
    /// ```rhai
    /// say("hello");
    /// testing::equal(testing::said(), ["hello"]);
    /// ```
    #[rhai_fn(return_raw)]
    pub fn said(context: NativeCallContext) -> Scripted<Array> {
        let lines = call_freely(&context, |run| Ok(run.stage()?.said.lines()))?;
        Ok(lines.into_iter().map(Dynamic::from).collect())
    }

    /// Tell where the clock of the test stands: at 2026-01-01T00:00:00Z, unless `set_now` has set it.
    ///
    /// Needs nothing. Fails with `test.outside`.
    ///
    /// ```rhai
    /// testing::equal(testing::now(), "2026-01-01T00:00:00Z");
    /// ```
    #[rhai_fn(return_raw)]
    pub fn now(context: NativeCallContext) -> Scripted<Time> {
        call_freely(&context, |run| Ok(run.stage()?.clock.now()))
    }

    /// Set the clock of the test, and return where it stands then.
    ///
    /// Needs nothing. Fails with `test.outside`, `value.invalid`.
    ///
    /// ```rhai
    /// testing::equal(testing::set_now("2026-02-01"), "2026-02-01T00:00:00Z");
    /// ```
    #[rhai_fn(return_raw)]
    pub fn set_now(context: NativeCallContext, time: Dynamic) -> Scripted<Time> {
        call_freely(&context, |run| {
            let stage = run.stage()?;
            let time = super::values::time(&time, stage.clock.now())?;
            stage.clock.set(time);
            Ok(time)
        })
    }

    /// Tell which moment a text means: `2026-01-31T12:00:00Z`, `2026-01-31`, or `90d` for that long before the test's
    /// clock. A time is returned as it is.
    ///
    /// Needs nothing. Fails with `test.outside`, `value.invalid`.
    ///
    /// ```rhai
    /// testing::equal(testing::time("1d"), "2025-12-31T00:00:00Z");
    /// ```
    #[rhai_fn(return_raw)]
    pub fn time(context: NativeCallContext, time: Dynamic) -> Scripted<Time> {
        call_freely(&context, |run| super::values::time(&time, run.stage()?.clock.now()))
    }

    /// Make an account.
    ///
    /// Options: `password`, which may be weak; `email`, an address or a list of them; `admin`, `guest`; `created_at`,
    /// now if it is not given; `locked_at`, `deactivated_at`; `last_active_at`, when its browser was last used, for
    /// which it gets a session.
    ///
    /// Needs nothing. Fails with `email.invalid`, `test.outside`, `user.exists`, `username.invalid`, `value.invalid`.
    ///
    /// ```rhai
    /// let alice = testing::user("alice", #{ email: "alice@example.com", last_active_at: "90d" });
    /// testing::equal(sessions::count(#{ user: "alice" }), 1);
    /// ```
    #[rhai_fn(return_raw, name = "user")]
    pub fn add_user(context: NativeCallContext, name: &str, options: Map) -> Scripted<User> {
        call_freely(&context, |run| {
            let new = super::user(run, name, options)?;
            run.wait(operations::testing::add_user(run, new))
        })
    }

    /// Make a session of a user.
    ///
    /// Options: `kind`, one of `browser`, `compatibility`, `oauth`, `personal`, which is `oauth` with a `client`,
    /// `compatibility` with a `device`, else `browser`; `client`, one of OAuth 2.0 or its id; `device`; `scope`, `name`;
    /// `ip`, `user_agent`; `created_at`, now if it is not given; `last_active_at`, `finished_at`.
    ///
    /// Needs nothing. Fails with `test.outside`, `value.invalid`.
    ///
    /// ```rhai
    /// let session = testing::session(testing::user("alice", #{}), #{ device: "PHONE", last_active_at: "90d" });
    /// testing::equal(session.kind, "compatibility");
    /// ```
    #[rhai_fn(return_raw, name = "session")]
    pub fn add_session(context: NativeCallContext, user: User, options: Map) -> Scripted<Session> {
        call_freely(&context, |run| {
            let new = super::session(run, options)?;
            run.wait(operations::testing::add_session(run, &user, new))
        })
    }

    /// Make an OAuth 2.0 client. Options: `name`, `uri`, `kind`, which is `dynamic` or `static`.
    ///
    /// Needs nothing. Fails with `test.outside`, `value.invalid`.
    ///
    /// ```rhai
    /// testing::equal(testing::client(#{ name: "Cinny" }).name, "Cinny");
    /// ```
    #[rhai_fn(return_raw, name = "client")]
    pub fn add_client(context: NativeCallContext, options: Map) -> Scripted<Client> {
        call_freely(&context, |run| {
            run.wait(operations::testing::add_client(run, super::client(options)?))
        })
    }

    /// Make an upstream provider. Options: `name`, `issuer`, `disabled_at`.
    ///
    /// Needs nothing. Fails with `test.outside`, `value.invalid`.
    ///
    /// ```rhai
    /// testing::equal(testing::provider(#{ name: "Keycloak" }).human_name, "Keycloak");
    /// ```
    #[rhai_fn(return_raw, name = "provider")]
    pub fn add_provider(context: NativeCallContext, options: Map) -> Scripted<Provider> {
        call_freely(&context, |run| {
            let new = super::provider(run, options)?;
            run.wait(operations::testing::add_provider(run, new))
        })
    }

    /// Link a user to an account at an upstream provider.
    ///
    /// Needs nothing. Fails with `link.taken`, `test.outside`, `value.invalid`.
    ///
    /// ```rhai
    /// let link = testing::link(testing::user("alice", #{}), testing::provider(#{}), "alice-there");
    /// testing::equal(link.subject, "alice-there");
    /// ```
    #[rhai_fn(return_raw, name = "link")]
    pub fn add_link(context: NativeCallContext, user: User, provider: Provider, subject: &str) -> Scripted<Link> {
        call_freely(&context, |run| {
            run.wait(operations::testing::add_link(run, &user, &provider, subject))
        })
    }

    /// Make a job about a user.
    ///
    /// Options: `queue`, which is `provision-user` if it is not given; `status`, as `jobs::list` takes it;
    /// `failed_reason`, `attempt`; `created_at`, now if it is not given.
    ///
    /// Needs nothing. Fails with `test.outside`, `value.invalid`.
    ///
    /// ```rhai
    /// let job = testing::job(testing::user("alice", #{}), #{ status: "failed" });
    /// testing::equal(job.retry().attempt, 1);
    /// ```
    #[rhai_fn(return_raw, name = "job")]
    pub fn add_job(context: NativeCallContext, user: User, options: Map) -> Scripted<Job> {
        call_freely(&context, |run| {
            let new = super::job(run, options)?;
            run.wait(operations::testing::add_job(run, &user, new))
        })
    }

    /// Make an account on the homeserver alone. Options: `display_name`, `deactivated`, `locked`, `admin`, `emails`,
    /// `devices`.
    ///
    /// Needs nothing. Fails with `test.outside`, `value.invalid`.
    ///
    /// ```rhai
    /// testing::homeserver_user("alice", #{ display_name: "Alice" });
    /// testing::equal(testing::homeserver_account("alice").display_name, "Alice");
    /// ```
    #[rhai_fn(return_raw)]
    pub fn homeserver_user(context: NativeCallContext, name: &str, options: Map) -> Scripted<()> {
        call_freely(&context, |run| {
            run.stage()?.homeserver.put(name, super::account(options)?);
            Ok(())
        })
    }

    /// Look at the account that the homeserver has by a name; `()` if it has none.
    ///
    /// It has `display_name`, `avatar_url`, `deactivated`, `erased`, `locked`, `admin`, `emails` and `devices`, a list of
    /// ids.
    ///
    /// Needs nothing. Fails with `test.outside`.
    ///
    /// ```rhai
    /// testing::equal(testing::homeserver_account("nobody"), ());
    /// ```
    #[rhai_fn(return_raw)]
    pub fn homeserver_account(context: NativeCallContext, name: &str) -> Scripted<Dynamic> {
        let account = call_freely(&context, |run| operations::testing::homeserver_account(run, name))?;
        Ok(account.map_or(Dynamic::UNIT, |account| super::values::account(account).into()))
    }

    /// Say whether the homeserver answers from now on.
    ///
    /// Needs nothing. Fails with `test.outside`.
    ///
    /// ```rhai
    /// testing::homeserver_answers(false);
    /// ```
    #[rhai_fn(return_raw)]
    pub fn homeserver_answers(context: NativeCallContext, answers: bool) -> Scripted<()> {
        call_freely(&context, |run| {
            run.stage()?.homeserver.set_down(!answers);
            Ok(())
        })
    }

    /// Write a file for the test, and return its path.
    ///
    /// Needs nothing. Fails with `file.unwritable`, `test.outside`, `value.invalid`.
    ///
    /// ```rhai
    /// let path = testing::file("users.csv", "username\nalice\n");
    /// testing::equal(path.ends_with("/users.csv"), true);
    /// ```
    #[rhai_fn(return_raw)]
    pub fn file(context: NativeCallContext, name: &str, text: &str) -> Scripted<String> {
        let path = call_freely(&context, |run| run.stage()?.write_file(name, text))?;
        Ok(path.display().to_string())
    }

    /// Make a secret of a text, for what takes a secret only.
    ///
    /// Needs nothing. Fails with `test.outside`.
    ///
    /// ```rhai
    /// let alice = testing::user("alice", #{ password: "correct horse" });
    /// testing::equal(alice.verify_password(testing::secret("correct horse")), true);
    /// ```
    #[rhai_fn(return_raw)]
    pub fn secret(context: NativeCallContext, text: &str) -> Scripted<Secret> {
        call_freely(&context, |run| {
            run.stage()?;
            Ok(Secret::given(text.into()))
        })
    }

    /// Fail unless two values are the same. What a primitive returns is compared as its JSON is: a list with an array,
    /// an account with a map, a time also with its text.
    ///
    /// Needs nothing. Fails with `test.failed`, `test.outside`, `value.invalid` for secrets.
    ///
    /// ```rhai
    /// testing::equal(1 + 1, 2);
    /// ```
    #[rhai_fn(return_raw)]
    pub fn equal(context: NativeCallContext, actual: Dynamic, expected: Dynamic) -> Scripted<()> {
        call_freely(&context, |run| super::compare(run.stage()?, &actual, &expected))
    }

    /// Tell whether two values are the same, as `equal` compares them.
    ///
    /// Needs nothing. Fails with `test.outside`, `value.invalid` for secrets.
    ///
    /// ```rhai
    /// if !testing::same([1], [1]) { testing::fail("they differ"); }
    /// ```
    #[rhai_fn(return_raw)]
    pub fn same(context: NativeCallContext, one: Dynamic, other: Dynamic) -> Scripted<bool> {
        call_freely(&context, |run| {
            run.stage()?;
            Ok(super::plain(&one)? == super::plain(&other)?)
        })
    }

    /// Write a value as a script would, for a message.
    ///
    /// Needs nothing. Fails with `test.outside`, `value.invalid` for secrets.
    ///
    /// ```rhai
    /// testing::equal(testing::shown(["a", ()]), "[\"a\", ()]");
    /// ```
    #[rhai_fn(return_raw)]
    pub fn shown(context: NativeCallContext, value: Dynamic) -> Scripted<String> {
        call_freely(&context, |run| {
            run.stage()?;
            super::plain(&value).map(|value| super::literal(&value))
        })
    }

    /// End the test: it has failed.
    ///
    /// Needs nothing. Fails with `test.failed`, `test.outside`.
    ///
    /// ```rhai
    /// if 1 + 1 != 2 { testing::fail("numbers are broken"); }
    /// ```
    #[rhai_fn(return_raw)]
    pub fn fail(context: NativeCallContext, message: &str) -> Scripted<()> {
        call_freely(&context, |run| {
            let message = message.lines().next().unwrap_or_default();
            Err(run.stage()?.fail(message))
        })
    }

    /// Call a function, and return the error that it fails with, whatever it is; `()` if it does not fail.
    ///
    /// Needs nothing. Fails with `test.outside`.
    ///
    /// ```rhai
    /// let error = testing::failure(|| users::get("nobody"));
    /// testing::equal(error.code, "user.not_found");
    /// ```
    #[rhai_fn(return_raw)]
    pub fn failure(context: NativeCallContext, deed: FnPtr) -> Scripted<Dynamic> {
        super::caught(&context, &deed)
    }
}
