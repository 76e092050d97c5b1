//! What is done, with MAS's rules: which rows are written together, and with which jobs. Primitives only wrap it.
//!
//! A deed takes the [`Run`] and says in one function what is read, refused, written, queued and recorded.
//!
//! Two belong to no run, and are called by the command line itself: [`doctor`], which only looks, and [`worker`], which
//! does what deeds have queued.

mod change;
pub mod clients;
mod commit;
mod deed;
pub mod doctor;
mod doom;
mod effect;
pub mod emails;
pub mod files;
pub mod homeserver;
mod interrupt;
pub mod jobs;
mod keeper;
mod ledger;
pub mod links;
pub mod passwords;
mod plan;
pub mod policy;
pub mod providers;
mod record;
mod registration;
mod run;
mod sentence;
pub mod sessions;
pub mod site;
pub mod testing;
pub mod tokens;
pub mod users;
pub mod worker;
mod world;

pub use change::{Action, Change, MOST_SUBJECTS, Subject};
pub use deed::Deed;
pub use effect::{Delivery, Effect};
pub use interrupt::{Interrupt, Phase};
pub use keeper::{Keeper, Place};
pub use plan::Plan;
pub use record::{Record, Report};
pub use registration::{Registration, register};
pub use run::{Parts, Run};
pub use world::{Standstill, World};
