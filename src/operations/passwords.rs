//! Passwords of accounts.

use secrecy::SecretString;

use super::{Action, Change, Deed, Run, users};
use crate::{
    error::Result,
    model::User,
    password::{self, Hashed, Schemes},
    storage,
};

const SET: Action = Action::new("password.set", "Set the password of", "set the password of");

/// Refuses a password that is weaker than MAS's configuration allows.
///
/// # Errors
/// `password.weak`, `password.disabled`.
pub fn check(run: &Run, password: &SecretString) -> Result<()> {
    let settings = run.password_settings()?;
    if !settings.enabled {
        return Err(password::disabled());
    }
    password::check_strength(password, settings.minimum_complexity)
}

/// Makes a strong password.
#[must_use]
pub fn generate(run: &Run) -> SecretString {
    run.world().alphanumeric(password::GENERATED_LENGTH)
}

/// Sets the password of a user. The earlier ones stay in the database, as MAS keeps them; sessions go on.
///
/// # Errors
/// `password.weak` unless `ignore_complexity`, `password.disabled`, `password.scheme`, `user.not_found`.
pub async fn set(run: &Run, user: &User, password: &SecretString, ignore_complexity: bool) -> Result<User> {
    if !ignore_complexity {
        check(run, password)?;
    }
    let hashed = prepare(run, password)?;
    run.write(async |deed| {
        let user = users::current(deed, user).await?;
        add(deed, &user, &hashed).await?;
        Ok(user)
    })
    .await
}

/// Hashes a password before a transaction opens, so that nobody waits for it.
pub(super) fn prepare(run: &Run, password: &SecretString) -> Result<Hashed> {
    let settings = run.password_settings()?;
    Schemes::new(settings.enabled, settings.schemes).hash(password, run.world().bytes())
}

/// Adds a hash, which becomes the user's password.
pub(super) async fn add(deed: &mut Deed<'_>, user: &User, hashed: &Hashed) -> Result<()> {
    let (now, id) = deed.new_row();
    storage::passwords::password_add(deed.store(), id, user.id, &hashed.hash, hashed.version, now).await?;
    if hashed.cut {
        deed.note("bcrypt looks at the first 72 bytes only: the rest of this password does not count");
    }
    deed.changed(
        Change::of(SET, user.into())
            .after("created_at", now)
            .after("version", hashed.version),
    );
    Ok(())
}
