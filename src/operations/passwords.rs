//! Passwords of accounts.

use std::thread;

use secrecy::SecretString;
use tokio::sync::oneshot;

use super::{Action, Change, Deed, Run, users};
use crate::{
    error::{Code, Error, Result},
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
    let hashing = start_hash(run, password)?;
    if !ignore_complexity {
        check(run, password)?;
    }
    let hashed = hashing.finish().await?;
    run.write(async |deed| {
        let user = users::current(deed, user).await?;
        add(deed, &user, &hashed).await?;
        Ok(user)
    })
    .await
}

/// A password that is being hashed, before a transaction opens, so that nobody waits for it.
pub(super) struct Hashing(oneshot::Receiver<Result<Hashed>>);

/// Starts to hash a password on a thread of its own: hashing takes as long as everything else that is asked of a new
/// password. A run that ends before it is done does not wait for it.
pub(super) fn start_hash(run: &Run, password: &SecretString) -> Result<Hashing> {
    let settings = run.password_settings()?;
    let schemes = Schemes::new(settings.enabled, settings.schemes);
    let (password, salt) = (password.clone(), run.world().bytes());
    let (sender, receiver) = oneshot::channel();
    thread::Builder::new()
        .name("password".to_owned())
        // Nobody may be there any more to take the hash.
        .spawn(move || drop(sender.send(schemes.hash(&password, salt))))
        .map_err(|cause| Error::new(Code::Bug, format!("No thread to hash a password on: {cause}")))?;
    Ok(Hashing(receiver))
}

impl Hashing {
    /// Waits for the hash.
    pub(super) async fn finish(self) -> Result<Hashed> {
        let lost = |_| Error::new(Code::Bug, "masctl has a defect: hashing a password panicked");
        self.0.await.map_err(lost)?
    }
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
