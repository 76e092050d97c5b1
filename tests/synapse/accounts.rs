//! An account from its registration to its end, through the binary and the worker, as Synapse's own database has it.

use std::process::Stdio;

use rstest::rstest;

use super::{
    client,
    gate::Gate,
    stage::{Ending, Stage, known},
};
use crate::support::{
    store::Store,
    synapse::{Known, synapse},
};

/// An account of one test, on the store of one kind.
struct Account {
    stage: Stage,
    name: String,
}

impl Account {
    /// Registers it with an address and a name to show, and has it provisioned.
    fn provisioned(kind: Store, name: &str) -> Self {
        let account = Self::unregistered(kind, name);
        let address = account.address();
        account.manage("register-user", &["--yes", "-e", &address, "-d", "Ann Ålund"]);
        account.stage.work();
        assert_eq!(known(&account.name), account.fresh());
        account
    }

    fn unregistered(kind: Store, name: &str) -> Self {
        let kind_name = format!("{kind:?}").to_lowercase();
        Self {
            stage: Stage::open(kind, &format!("accounts_{name}")),
            name: format!("a.{name}.{kind_name}"),
        }
    }

    fn address(&self) -> String {
        format!("{}@example.org", self.name)
    }

    /// What Synapse knows of it once it is provisioned.
    fn fresh(&self) -> Known {
        Known {
            display_name: Some("Ann Ålund".to_owned()),
            emails: vec![self.address()],
            ..Known::default()
        }
    }

    /// What Synapse knows of it once it is deactivated.
    fn deactivated(&self) -> Known {
        Known {
            deactivated: true,
            emails: Vec::new(),
            ..self.fresh()
        }
    }

    /// Runs a command on it, and returns its data.
    fn manage(&self, command: &str, arguments: &[&str]) -> String {
        self.stage.done(&[&["manage", command, &self.name], arguments].concat())
    }

    /// Jobs in the order in which they were queued.
    fn jobs(&self) -> Vec<String> {
        self.stage
            .rows("SELECT queue_name, status, attempt FROM queue_jobs ORDER BY queue_job_id")
    }

    /// The id of the active session that holds a device.
    fn session(&self, device: &str) -> String {
        let list = ["manage", "list-sessions", "--user", &self.name, "--device", device];
        self.stage.done(&[&list[..], &["--format", "ids"]].concat())
    }

    /// The ids of the tokens of a device, the oldest first.
    fn tokens(&self, device: &str) -> Vec<String> {
        self.stage.rows(&format!(
            "SELECT compat_access_token_id FROM compat_access_tokens JOIN compat_sessions USING (compat_session_id) \
             WHERE device_id = '{device}' ORDER BY compat_access_token_id"
        ))
    }

    /// Queues a job for it as MAS does.
    fn queue(&self, queue: &str, payload: &str) {
        let [id] = &self.stage.rows("SELECT user_id FROM users")[..] else {
            panic!("there is one user");
        };
        let payload = payload.replace("{id}", id);
        self.stage.rows(&format!(
            "INSERT INTO queue_jobs (queue_job_id, queue_name, payload, metadata, created_at) VALUES \
             ({{ulid:01HWT60000000000000000000A}}, '{queue}', '{payload}', '{{}}', '2024-05-01T12:00:00+00:00')"
        ));
    }
}

#[rstest]
#[ignore = "needs a Synapse: tests/run --synapse"]
fn it_is_made_by_the_worker(#[values(Store::Sqlite, Store::Postgres)] kind: Store) {
    let account = Account::unregistered(kind, "made");
    let address = account.address();
    account.manage("register-user", &["--yes", "-e", &address, "-d", "Ann Ålund"]);
    assert_eq!(
        synapse().known(&account.name),
        None,
        "registering makes nothing on the homeserver"
    );
    account.stage.work();
    assert_eq!(known(&account.name), account.fresh());
    assert_eq!(
        account.jobs(),
        ["provision-user | completed | 0", "sync-devices | completed | 0"]
    );

    account.manage("add-email", &["another@example.org"]);
    account.stage.work();
    let both = vec![account.address(), "another@example.org".to_owned()];
    assert_eq!(
        known(&account.name),
        Known {
            emails: both,
            ..account.fresh()
        }
    );
}

#[rstest]
#[ignore = "needs a Synapse: tests/run --synapse"]
fn a_name_that_the_homeserver_has_or_refuses_is_not_registered(#[values(Store::Sqlite, Store::Postgres)] kind: Store) {
    let there = Account::provisioned(kind, "there");
    // Another MAS, which does not know of it, on the same homeserver.
    let other = Account {
        stage: Stage::open(kind, "accounts_other"),
        name: there.name,
    };
    for (name, why) in [
        (&*other.name, "the homeserver has a user of this name"),
        ("20240501", "the homeserver does not allow it ("),
    ] {
        let ending = other.stage.run(&["manage", "register-user", name, "--yes"]);
        let first = ending.stderr.lines().next().unwrap_or_default();
        assert!(ending.status == Some(1) && first.contains(why), "{ending:?}");
    }
    assert_eq!(other.stage.rows("SELECT username FROM users"), [""; 0]);
    assert_eq!(other.jobs(), [""; 0]);
}

#[rstest]
#[ignore = "needs a Synapse: tests/run --synapse"]
fn its_devices_are_those_of_its_sessions(#[values(Store::Sqlite, Store::Postgres)] kind: Store) {
    let account = Account::provisioned(kind, "devices");
    let name = &account.name;
    let token = account.manage("issue-compatibility-token", &["LAPTOP"]);
    assert!(token.starts_with("mct_"), "{token}");
    account.manage("issue-compatibility-token", &["PHONE"]);
    assert_eq!(
        known(name),
        account.fresh().with_devices(&["LAPTOP", "PHONE"]),
        "at once"
    );

    // A device that no session holds goes, the others stay.
    client::make_device(name, "FOREIGN");
    assert_eq!(
        known(name),
        account.fresh().with_devices(&["FOREIGN", "LAPTOP", "PHONE"])
    );
    account.stage.done(&["manage", "provision-all-users"]);
    account.stage.work();
    assert_eq!(known(name), account.fresh().with_devices(&["LAPTOP", "PHONE"]));

    account.manage("kill-sessions", &[]);
    assert_eq!(
        known(name),
        account.fresh().with_devices(&["LAPTOP", "PHONE"]),
        "until the worker comes"
    );
    account.stage.work();
    assert_eq!(known(name), account.fresh());
    let active = account
        .stage
        .rows("SELECT count(*) FROM compat_sessions WHERE finished_at IS NULL");
    assert_eq!(active, ["0"]);
}

#[rstest]
#[ignore = "needs a Synapse: tests/run --synapse"]
fn a_token_for_one_that_the_homeserver_does_not_have_is_taken_back(
    #[values(Store::Sqlite, Store::Postgres)] kind: Store,
) {
    let account = Account::unregistered(kind, "early");
    account.manage("register-user", &["--yes"]);
    let ending = account
        .stage
        .run(&["manage", "issue-compatibility-token", &account.name, "LAPTOP"]);
    assert_eq!((ending.status, &*ending.stdout), (Some(1), ""), "{ending:?}");
    assert!(
        ending.stderr.contains(&format!("no user `{}` yet", account.name)),
        "{ending:?}"
    );
    let active = "SELECT count(*) FROM compat_sessions WHERE finished_at IS NULL";
    assert_eq!(account.stage.rows(active), ["0"]);
    account.stage.work();
    assert_eq!(known(&account.name), Known::new(&account.name));
}

/// The worker is done with the devices before masctl has told of the one that its session holds.
#[rstest]
#[ignore = "needs a Synapse: tests/run --synapse"]
fn a_device_whose_session_ended_before_it_was_made_is_removed(#[values(Store::Sqlite, Store::Postgres)] kind: Store) {
    let account = Account::provisioned(kind, "outrun");
    let gate = Gate::closed();
    let section = format!("matrix:\n  endpoint: {}\n", gate.endpoint());
    account.stage.write("gate.yaml", &section);
    let mut issue = account
        .stage
        .masctl(&["manage", "issue-compatibility-token", &account.name, "LAPTOP"]);
    issue.env("MAS_CONFIG", "config.yaml:synapse.yaml:gate.yaml");
    let issue = issue.stdout(Stdio::piped()).stderr(Stdio::piped()).spawn();
    let issue = issue.expect("masctl runs");
    gate.wait();
    account.manage("kill-sessions", &[]);
    account.stage.work();
    gate.open();
    let ending = Ending::from(issue.wait_with_output().expect("masctl ends"));
    let warning = format!(
        "Warning: the session of device LAPTOP of {} was ended meanwhile: its token is not valid\n",
        account.name
    );
    assert!(
        ending.status == Some(0) && ending.stderr.contains(&warning),
        "{ending:?}"
    );
    account.stage.work();
    assert_eq!(known(&account.name), account.fresh());
}

#[rstest]
#[ignore = "needs a Synapse: tests/run --synapse"]
fn it_is_locked_and_unlocked(#[values(Store::Sqlite, Store::Postgres)] kind: Store) {
    let account = Account::provisioned(kind, "locked");
    account.manage("issue-compatibility-token", &["LAPTOP"]);
    let fresh = account.fresh().with_devices(&["LAPTOP"]);
    account.manage("lock-user", &[]);
    assert_eq!(known(&account.name), fresh);
    account.stage.work();
    assert_eq!(
        known(&account.name),
        Known {
            locked: true,
            ..fresh.clone()
        }
    );
    account.manage("unlock-user", &[]);
    account.stage.work();
    assert_eq!(known(&account.name), fresh);
}

#[rstest]
#[ignore = "needs a Synapse: tests/run --synapse"]
fn it_is_deactivated_and_reactivated(#[values(Store::Sqlite, Store::Postgres)] kind: Store) {
    let account = Account::provisioned(kind, "deactivated");
    account.manage("issue-compatibility-token", &["LAPTOP"]);
    account.manage("lock-user", &["--deactivate"]);
    account.stage.work();
    let gone = Known {
        locked: true,
        ..account.deactivated()
    };
    assert_eq!(known(&account.name), gone);
    let state = "SELECT locked_at IS NOT NULL, deactivated_at IS NOT NULL FROM users";
    let rest = "SELECT (SELECT count(*) FROM user_emails), \
                (SELECT count(*) FROM compat_sessions WHERE finished_at IS NULL), (SELECT count(*) FROM compat_sessions)";
    assert!(["true | true", "1 | 1"].contains(&&*account.stage.rows(state)[0]));
    assert_eq!(account.stage.rows(rest), ["0 | 0 | 1"]);

    account.manage("unlock-user", &["--reactivate"]);
    account.stage.work();
    let back = Known {
        deactivated: false,
        ..account.deactivated()
    };
    assert_eq!(known(&account.name), back);
    assert!(["false | false", "0 | 0"].contains(&&*account.stage.rows(state)[0]));
    account.manage("issue-compatibility-token", &["LAPTOP"]);
    assert_eq!(known(&account.name), back.with_devices(&["LAPTOP"]));
}

#[rstest]
#[ignore = "needs a Synapse: tests/run --synapse"]
fn it_is_erased_and_comes_back_without_a_name(#[values(Store::Sqlite, Store::Postgres)] kind: Store) {
    let account = Account::provisioned(kind, "erased");
    account.queue("deactivate-user", r#"{"user_id": "{id}", "hs_erase": true}"#);
    account.stage.work();
    let erased = Known {
        erased: true,
        display_name: None,
        ..account.deactivated()
    };
    assert_eq!(known(&account.name), erased);
    account.manage("unlock-user", &["--reactivate"]);
    account.stage.work();
    assert_eq!(known(&account.name), Known::default());
}

#[rstest]
#[ignore = "needs a Synapse: tests/run --synapse"]
fn its_name_is_set_by_the_job_that_carries_one(#[values(Store::Sqlite, Store::Postgres)] kind: Store) {
    let account = Account::provisioned(kind, "named");
    account.queue(
        "provision-user",
        r#"{"user_id": "{id}", "set_display_name": "Ann \"Ö\" 🌊"}"#,
    );
    account.stage.work();
    let renamed = Known {
        display_name: Some("Ann \"Ö\" 🌊".to_owned()),
        ..account.fresh()
    };
    assert_eq!(known(&account.name), renamed);
    account.stage.done(&["manage", "provision-all-users"]);
    account.stage.work();
    assert_eq!(known(&account.name), renamed, "a job without a name leaves it");
}

/// What ends one session, or one token, takes that device and no other.
#[rstest]
#[ignore = "needs a Synapse: tests/run --synapse"]
fn its_devices_go_one_by_one(#[values(Store::Sqlite, Store::Postgres)] kind: Store) {
    let account = Account::provisioned(kind, "onebyone");
    for device in ["DESK", "LAPTOP", "PHONE", "TABLET", "WATCH"] {
        account.manage("issue-compatibility-token", &[device]);
    }
    let left = |devices: &[&str]| {
        account.stage.work();
        assert_eq!(known(&account.name), account.fresh().with_devices(devices));
    };
    account
        .stage
        .done(&["manage", "kill-session", &account.session("DESK")]);
    left(&["LAPTOP", "PHONE", "TABLET", "WATCH"]);

    let [token] = &account.tokens("PHONE")[..] else {
        panic!("there is one");
    };
    account.stage.done(&["manage", "revoke-token", token]);
    left(&["LAPTOP", "TABLET", "WATCH"]);

    let [token] = &account.tokens("TABLET")[..] else {
        panic!("there is one");
    };
    let rotated = account.stage.done(&["manage", "rotate-token", token]);
    assert!(rotated.starts_with("mct_"), "{rotated}");
    assert_eq!(account.tokens("TABLET").len(), 2);
    account.stage.done(&["manage", "provision-all-users"]);
    left(&["LAPTOP", "TABLET", "WATCH"]);

    account.manage("kill-sessions", &["--keep", &account.session("WATCH")]);
    left(&["WATCH"]);

    let personal = ["--name", "bot", "--scope", "urn:matrix:client:api:*", "--scope"];

    let issued = account.manage(
        "issue-personal-token",
        &[&personal[..], &["urn:matrix:client:device:BOTDEVICE0"]].concat(),
    );
    assert!(issued.starts_with("mpt_"), "{issued}");
    assert_eq!(
        known(&account.name),
        account.fresh().with_devices(&["BOTDEVICE0", "WATCH"])
    );
    account.manage("kill-sessions", &["--kind", "compatibility"]);
    left(&["BOTDEVICE0"]);
    account.manage("kill-sessions", &["--kind", "browser"]);
    left(&["BOTDEVICE0"]);
    account.manage("kill-sessions", &["--kind", "personal"]);
    left(&[]);
}

#[rstest]
#[ignore = "needs a Synapse: tests/run --synapse"]
fn its_name_is_set_and_its_end_erases_it(#[values(Store::Sqlite, Store::Postgres)] kind: Store) {
    let account = Account::provisioned(kind, "ending");
    account.manage("set-display-name", &["Ann \"Ö\" 🌊"]);
    assert_eq!(known(&account.name), account.fresh(), "until the worker comes");
    account.stage.work();
    let named = |name: Option<&str>| Known {
        display_name: name.map(str::to_owned),
        ..account.fresh()
    };
    assert_eq!(known(&account.name), named(Some("Ann \"Ö\" 🌊")));
    account.manage("set-display-name", &[""]);
    account.stage.work();
    assert_eq!(known(&account.name), named(None));

    account.manage("issue-compatibility-token", &["LAPTOP"]);
    account.manage("set-display-name", &["Ann"]);
    account.manage("deactivate-user", &["--erase", "--yes"]);
    account.stage.work();
    let erased = Known {
        erased: true,
        display_name: None,
        ..account.deactivated()
    };
    assert_eq!(known(&account.name), erased);
    account.manage("reactivate-user", &[]);
    account.stage.work();
    assert_eq!(known(&account.name), Known::default());
    let active = "SELECT count(*) FROM users WHERE deactivated_at IS NULL";
    assert_eq!(account.stage.rows(active), ["1"]);
}

#[rstest]
#[ignore = "needs a Synapse: tests/run --synapse"]
fn a_wrong_secret_leaves_the_job_to_be_tried_again(#[values(Store::Sqlite, Store::Postgres)] kind: Store) {
    let account = Account::unregistered(kind, "refused");
    account.manage("register-user", &["--yes"]);
    let mut command = account.stage.masctl(&["worker", "--once"]);
    account
        .stage
        .write("refused.yaml", "matrix:\n  secret: guessed-Eeph7oop\n");
    command.env("MAS_CONFIG", "config.yaml:synapse.yaml:refused.yaml");
    let output = command.output().expect("masctl runs");
    let said = String::from_utf8_lossy(&output.stderr);
    assert!(!said.contains("guessed"), "{said}");
    assert_eq!(synapse().known(&account.name), None);
    let jobs = "SELECT queue_name, status, attempt, failed_reason IS NULL FROM queue_jobs ORDER BY attempt";
    let jobs = account.stage.rows(jobs).join("\n");
    assert!(jobs.starts_with("provision-user | failed | 0"), "{jobs}");
    assert!(jobs.contains("\nprovision-user | scheduled | 1"), "{jobs}");
    let reason = account
        .stage
        .rows("SELECT failed_reason FROM queue_jobs WHERE attempt = 0");
    assert!(
        reason[0].contains("refuses the secret") && !reason[0].contains("guessed"),
        "{reason:?}"
    );
}
