//! Passwords of accounts.

use std::thread;

use secrecy::SecretString;
use tokio::sync::oneshot;

use super::{Action, Change, Deed, Run, users};
use crate::{
    config::Passwords,
    error::{Code, Error, Result, counted},
    model::{Password, PasswordScheme, User},
    password::{self, Cut, Hashed, Schemes},
    storage,
};

const SET: Action = Action::new("password.set", "Set the password of", "set the password of");
const REMOVE: Action = Action::new("password.remove", "Removed", "remove");

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
    let hashed = hashing.finish(run).await?;
    run.write(async |deed| {
        let user = users::current(deed, user).await?;
        add(deed, &user, &hashed).await?;
        Ok(user)
    })
    .await
}

/// Whether a password is the user's: whether MAS would take it, were the user neither locked nor deactivated.
///
/// False also for a user without a password. An error is about this user alone: the next one can still be asked about.
///
/// # Errors
/// `password.disabled`; `password.scheme` if the user's hash is of no configured scheme, or not one at all.
pub async fn verify(run: &Run, user: &User, password: &SecretString) -> Result<bool> {
    let settings = run.password_settings()?;
    if !settings.enabled {
        return Err(password::disabled());
    }
    let stored = run
        .read(async |store| storage::passwords::password_of_user(store, user.id).await)
        .await?;
    let Some(stored) = stored else { return Ok(false) };
    let (username, password) = (user.username.clone(), password.clone());
    let verifying = start(&settings, move |schemes| {
        schemes.verify(&username, &password, &stored.hash, stored.version)
    });
    finish(verifying?).await
}

/// What can be said of a user's password without showing it. `None` for a user without one.
///
/// # Errors
/// `config.invalid`, `file.unreadable`.
pub async fn of_user(run: &Run, user: &User) -> Result<Option<Password>> {
    let settings = run.password_settings()?;
    let found = run
        .read(async |store| {
            let Some(stored) = storage::passwords::password_of_user(store, user.id).await? else {
                return Ok(None);
            };
            let count = storage::passwords::password_count(store, user.id).await?;
            Ok(Some((stored, count)))
        })
        .await?;
    Ok(found.map(|(stored, count)| {
        let scheme = settings
            .schemes
            .iter()
            .find(|scheme| i32::from(scheme.version) == stored.version);
        Password {
            version: stored.version,
            algorithm: scheme.map(|scheme| scheme.algorithm.as_str()),
            hashed_as: password::algorithm_of(&stored.hash),
            created_at: stored.created_at,
            age: (run.world().now() - stored.created_at).num_seconds(),
            // Another may have removed them in between.
            earlier: (count - 1).max(0),
        }
    }))
}

/// How new passwords are hashed, by the configuration.
///
/// # Errors
/// `config.invalid`, `file.unreadable`.
pub fn scheme(run: &Run) -> Result<PasswordScheme> {
    let settings = run.password_settings()?;
    let scheme = settings.schemes.first().filter(|_| settings.enabled);
    Ok(PasswordScheme {
        enabled: settings.enabled,
        version: scheme.map(|scheme| scheme.version),
        algorithm: scheme.map(|scheme| scheme.algorithm.as_str()),
        unicode_normalization: scheme.map(|scheme| scheme.unicode_normalization),
        pepper: scheme.map(|scheme| scheme.pepper.is_some()),
        minimum_complexity: settings.minimum_complexity,
    })
}

/// Removes the password of a user and every earlier one, which MAS itself keeps for ever, and returns how many rows
/// there were. Sessions go on; the user can no longer log in by password until a new one is set.
///
/// # Errors
/// `user.not_found`.
pub async fn remove(run: &Run, user: &User) -> Result<u64> {
    run.write(async |deed| {
        let user = users::current(deed, user).await?;
        let count = storage::passwords::passwords_remove(deed.store(), user.id).await?;
        if count == 0 {
            deed.note(format!("{} has no password", user.username));
        } else {
            let passwords = counted(count, "password");
            deed.changed(
                Change::of(REMOVE, (&user).into())
                    .said(format!("{passwords} of {}", user.username))
                    .before("count", count)
                    .after("count", 0),
            );
        }
        Ok(count)
    })
    .await
}

/// A password that is being hashed, before a transaction opens, so that nobody waits for it.
pub(super) struct Hashing {
    password: SecretString,
    hash: Working<Hashed>,
}

/// A password with its hash.
pub(super) struct New {
    password: SecretString,
    pub(super) hashed: Hashed,
}

/// Starts to hash a password: hashing takes as long as everything else that is asked of a new password.
pub(super) fn start_hash(run: &Run, password: &SecretString) -> Result<Hashing> {
    let settings = run.password_settings()?;
    let (hashed, salt) = (password.clone(), run.world().bytes());
    Ok(Hashing {
        password: password.clone(),
        hash: start(&settings, move |schemes| schemes.hash(&hashed, salt))?,
    })
}

impl Hashing {
    /// Waits for the hash, and warns if it is not of the whole password.
    pub(super) async fn finish(self, run: &Run) -> Result<New> {
        let hashed = finish(self.hash).await?;
        match hashed.cut {
            Some(Cut::Password) => run
                .console()
                .warn("bcrypt looks at the first 72 bytes only: the rest of this password does not count"),
            Some(Cut::Pepper) => run
                .console()
                .warn("bcrypt looks at the first 72 bytes only: with this password, not all of the pepper counts"),
            None => {}
        }
        Ok(New {
            password: self.password,
            hashed,
        })
    }
}

/// Work that goes on elsewhere, and its result.
type Working<T> = oneshot::Receiver<Result<T>>;

/// Starts slow work with the configured schemes on a thread of its own. A run that ends before it is done does not wait
/// for it.
fn start<T: Send + 'static>(
    settings: &Passwords,
    work: impl FnOnce(Schemes) -> Result<T> + Send + 'static,
) -> Result<Working<T>> {
    let schemes = Schemes::new(settings.enabled, settings.schemes.clone());
    let (sender, receiver) = oneshot::channel();
    thread::Builder::new()
        .name("password".to_owned())
        // Nobody may be there any more to take the result.
        .spawn(move || drop(sender.send(work(schemes))))
        .map_err(|cause| Error::new(Code::Bug, format!("No thread to hash a password on: {cause}")))?;
    Ok(receiver)
}

async fn finish<T>(working: Working<T>) -> Result<T> {
    let lost = |_| Error::new(Code::Bug, "masctl has a defect: hashing a password panicked");
    working.await.map_err(lost)?
}

/// Adds a password, which becomes the user's.
pub(super) async fn add(deed: &mut Deed<'_>, user: &User, new: &New) -> Result<()> {
    let hashed = &new.hashed;
    let (now, id) = deed.new_row();
    deed.run().world().keep(&hashed.hash.as_str().into(), true);
    storage::passwords::password_add(deed.store(), id, user.id, &hashed.hash, hashed.version, now).await?;
    deed.keep_secret(&new.password);
    deed.changed(
        Change::of(SET, user.into())
            .after("created_at", now)
            .after("version", hashed.version),
    );
    Ok(())
}
