//! Which accounts are meant, as SQL.

use sea_query::{Condition, Expr, ExprTrait, Func, IntoColumnRef, Query, SelectStatement, UnionType};

use super::super::{
    emails,
    select::{self, Made, is},
    sessions,
};
use crate::model::{Id, SessionKind, Time};

/// Which users are meant: all that fit every part that is given.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Filter {
    /// Those with this text in their username, in whatever case.
    pub search: Option<String>,
    /// Whether they are neither locked nor deactivated.
    pub active: Option<bool>,
    /// Whether they are locked, deactivated or not.
    pub locked: Option<bool>,
    /// Whether they are deactivated, locked or not.
    pub deactivated: Option<bool>,
    /// Whether they were imported as guests.
    pub guest: Option<bool>,
    /// Whether they may ask for administrator scopes.
    pub admin: Option<bool>,
    /// Those registered at this moment or after it, to the millisecond.
    pub created_after: Option<Time>,
    /// Those registered before this moment, to the millisecond.
    pub created_before: Option<Time>,
    /// Those who were active at this moment or after it, by a session of any kind, be it over or not.
    pub active_after: Option<Time>,
    /// Those who were not.
    pub active_before: Option<Time>,
    /// Whether they have a password.
    pub has_password: Option<bool>,
    /// Whether they have an e-mail address.
    pub has_email: Option<bool>,
    /// Those with an e-mail address of this domain, in whatever case.
    pub email_domain: Option<String>,
    /// Whether they are linked to an upstream provider: to `provider`, if that is given.
    pub linked: Option<bool>,
    /// Those linked to this upstream provider, or those not linked to it, as `linked` says.
    pub provider: Option<Id>,
    /// Those with an active session of this kind.
    pub session: Option<SessionKind>,
    /// Those with an active session of this OAuth 2.0 client.
    pub client: Option<Id>,
}

/// How the rows of other tables are looked up.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Look {
    /// For one user after the other, by index: few users are looked at.
    OneByOne,
    /// For all users at once.
    Together,
}

impl Look {
    fn exists(self, subquery: SelectStatement) -> Expr {
        match self {
            Self::OneByOne => select::exists_for_each(subquery),
            Self::Together => Expr::exists(subquery),
        }
    }
}

/// Where sessions are, and the column that names a user of them.
type Place = (SessionKind, &'static str, &'static str);

const fn place(kind: SessionKind) -> Place {
    let (table, _, user) = sessions::table(kind);
    (kind, table, user)
}

/// A personal session belongs to two users: to the one as whom it acts, and to its owner.
const PLACES: [Place; 5] = [
    place(SessionKind::Browser),
    place(SessionKind::Compatibility),
    place(SessionKind::OAuth),
    place(SessionKind::Personal),
    (SessionKind::Personal, place(SessionKind::Personal).1, sessions::OWNER),
];

const USER: (&str, &str) = ("users", "user_id");

impl Filter {
    /// A statement that finds them, without its columns.
    pub(super) fn statement(&self, is_postgres: bool, look: Look) -> SelectStatement {
        let of_account = [
            self.search
                .as_ref()
                .map(|text| select::contains("username", text, is_postgres)),
            self.active.map(|active| {
                let is_active = Expr::col("locked_at")
                    .is_null()
                    .and(Expr::col("deactivated_at").is_null());
                is(is_active, active)
            }),
            self.locked
                .map(|locked| is(Expr::col("locked_at").is_not_null(), locked)),
            self.deactivated
                .map(|deactivated| is(Expr::col("deactivated_at").is_not_null(), deactivated)),
            self.guest.map(|guest| Expr::col("is_guest").eq(guest)),
            self.admin.map(|admin| Expr::col("can_request_admin").eq(admin)),
        ];
        let of_others = [
            self.has_password
                .map(|has| is(look.exists(rows_of_user("user_passwords")), has)),
            self.has_email
                .map(|has| is(look.exists(rows_of_user("user_emails")), has)),
            self.email_domain.as_ref().map(|domain| {
                let mut emails = rows_of_user("user_emails");
                look.exists(emails.and_where(emails::is_at_domain(domain)).take())
            }),
            self.links(look),
            self.session.map(|wanted| {
                let places: Vec<_> = PLACES.into_iter().filter(|(kind, ..)| *kind == wanted).collect();
                any(&places, look, |(kind, ..)| Expr::col(kind.end()).is_null())
            }),
            self.client.map(|client| {
                let mut sessions = rows_of_user("oauth2_sessions");
                sessions
                    .and_where(Expr::col("oauth2_client_id").eq(client))
                    .and_where(Expr::col("finished_at").is_null());
                look.exists(sessions)
            }),
            self.active_after
                .map(|time| any(&PLACES, look, |place| was_active(place, time))),
            self.active_before
                .map(|time| none(&PLACES, look, |place| was_active(place, time))),
        ];
        let mut statement = Query::select()
            .from(USER.0)
            .cond_where(self.made().condition(USER))
            .take();
        for part in of_account.into_iter().chain(of_others).flatten() {
            statement.and_where(part);
        }
        statement
    }

    fn links(&self, look: Look) -> Option<Expr> {
        let linked = self.linked.or(self.provider.map(|_| true))?;
        let mut links = rows_of_user("upstream_oauth_links");
        links.and_where_option(
            self.provider
                .map(|provider| Expr::col("upstream_oauth_provider_id").eq(provider)),
        );
        Some(is(look.exists(links), linked))
    }

    /// Whether an index finds them: the primary key, or the one on the trigrams of usernames, which only PostgreSQL has.
    pub(super) fn is_indexed(&self, is_postgres: bool) -> bool {
        let found = Self {
            search: self.search.clone().filter(|text| is_postgres && has_trigram(text)),
            created_after: self.created_after,
            created_before: self.created_before,
            ..Self::default()
        };
        *self == found
    }

    /// When all of them were registered.
    pub(super) fn made(&self) -> Made {
        Made {
            after: self.created_after,
            before: self.created_before,
        }
    }
}

/// Whether the index on trigrams has anything to go by.
fn has_trigram(text: &str) -> bool {
    let mut words = text.split(|character: char| !character.is_ascii_alphanumeric());
    words.any(|word| word.len() >= 3)
}

/// The rows of a table that belong to the user at hand.
fn rows_of_user(table: &'static str) -> SelectStatement {
    rows_of(table, (table, "user_id"))
}

fn rows_of(table: &'static str, user: impl IntoColumnRef) -> SelectStatement {
    Query::select()
        .expr(Expr::cust("1"))
        .from(table)
        .and_where(Expr::col(user).equals(USER))
        .take()
}

/// Whether a session was used at that time or after it; one that was never used was at least made.
fn was_active((_, table, _): Place, time: Time) -> Expr {
    let last = Func::coalesce([Expr::col((table, "last_active_at")), Expr::col((table, "created_at"))]);
    Expr::expr(last).gte(time)
}

/// Whether the user has a session that fits in any of the places.
fn any(places: &[Place], look: Look, fits: impl Fn(Place) -> Expr) -> Expr {
    if look == Look::OneByOne || places.len() == 1 {
        let found = places.iter().map(|&place| {
            let (_, table, user) = place;
            look.exists(rows_of(table, (table, user)).and_where(fits(place)).take())
        });
        return found.fold(Condition::any(), Condition::add).into();
    }
    // PostgreSQL joins with a list of users; it cannot join with one table or another.
    let mut users = places.iter().map(|&place| {
        let (_, table, user) = place;
        Query::select().column(user).from(table).and_where(fits(place)).take()
    });
    let mut list = users.next().unwrap_or_default();
    list.unions(users.map(|users| (UnionType::All, users)));
    Expr::col(USER).in_subquery(list)
}

/// Whether the user has no session that fits in any of the places.
fn none(places: &[Place], look: Look, fits: impl Fn(Place) -> Expr) -> Expr {
    let missing = places.iter().map(|&place| {
        let (_, table, user) = place;
        look.exists(rows_of(table, (table, user)).and_where(fits(place)).take())
            .not()
    });
    missing.fold(Condition::all(), Condition::add).into()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_primary_key_and_trigrams_are_indexes() {
        let time = chrono::DateTime::UNIX_EPOCH;
        let search = |text: &str| Filter {
            search: Some(text.to_owned()),
            created_after: Some(time),
            ..Filter::default()
        };
        assert!(Filter::default().is_indexed(true));
        assert!(Filter::default().is_indexed(false));
        assert!(search("ali").is_indexed(true));
        assert!(search("_ali%").is_indexed(true));
        assert!(!search("ali").is_indexed(false));
        for none in ["", "al", "a_l", "äöü"] {
            assert!(!search(none).is_indexed(true), "{none}");
        }
        let locked = Filter {
            locked: Some(false),
            ..search("alice")
        };
        assert!(!locked.is_indexed(true));
    }
}
