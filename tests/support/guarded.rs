//! A PostgreSQL server that lets each role in by one way only, with an authority and certificates of its own.

use std::{path::PathBuf, sync::LazyLock};

use rcgen::{BasicConstraints, CertificateParams, CertifiedIssuer, DnType, IsCa, KeyPair};
use sqlx::postgres::PgConnectOptions;

use super::{
    cluster::{Cluster, SUPERUSER},
    mas_database,
    postgres::execute,
};

/// May come in encrypted, with [`PASSWORD`].
pub(crate) const ENCRYPTED: &str = "encrypted";
/// May come in with a certificate of this name.
pub(crate) const CERTIFIED: &str = "certified";
/// May come in through the socket.
pub(crate) const LOCAL: &str = "local_only";

/// The password of the role that needs one.
pub(crate) const PASSWORD: &str = "guarded-Ue7ahqu1-vuvuzela";

/// The one name in the certificate of the server.
pub(crate) const HOST: &str = "localhost";

/// The database with MAS's tables and one account, the administrator alice.
pub(crate) const DATABASE: &str = "mas";

/// A certificate and its key, as PEM.
pub(crate) struct Certificate {
    /// Fit for everybody.
    pub(crate) certificate: String,
    /// Fit for its owner alone.
    pub(crate) key: String,
}

/// The server, and what its clients may hold.
pub(crate) struct Guarded {
    /// Its TCP port on 127.0.0.1.
    pub(crate) port: u16,
    /// The folder of its socket.
    pub(crate) folder: PathBuf,
    /// The certificate of the authority that signed the others.
    pub(crate) authority: String,
    /// The certificate of an authority of the same name that signed none.
    pub(crate) stranger: String,
    /// The certificate of the role [`CERTIFIED`].
    pub(crate) client: Certificate,
    /// One of the same name by the other authority.
    pub(crate) forged: Certificate,
    _cluster: Cluster,
}

/// The server of this process, started at the first call.
pub(crate) fn guarded() -> &'static Guarded {
    static GUARDED: LazyLock<Guarded> = LazyLock::new(Guarded::start);
    &GUARDED
}

impl Guarded {
    fn start() -> Self {
        let (authority, stranger) = (authority(), authority());
        let access = format!(
            "local all {SUPERUSER} trust\nlocal all {LOCAL} trust\n\
             hostssl all {ENCRYPTED} 127.0.0.1/32 scram-sha-256\nhostssl all {CERTIFIED} 127.0.0.1/32 cert\n"
        );
        // Relative paths are relative to `data/`.
        let settings =
            "ssl = on\nssl_cert_file = '../server.pem'\nssl_key_file = '../server.key'\nssl_ca_file = '../ca.pem'\n";
        let cluster = Cluster::create(settings, &access);
        let server = signed(HOST, &authority);
        cluster.write("ca.pem", &authority.as_ref().pem());
        cluster.write("server.pem", &server.certificate);
        cluster.write("server.key", &server.key);
        let port = cluster.start();
        let options = PgConnectOptions::new_without_pgpass()
            .socket(&cluster.folder)
            .port(port)
            .username(SUPERUSER);
        execute(
            options.clone().database("postgres"),
            format!("CREATE DATABASE {DATABASE}"),
        );
        let admin = "INSERT INTO users (user_id, username, created_at, can_request_admin) VALUES \
                     ('00000000-0000-0000-0000-000000000001', 'alice', '2024-01-01', true);";
        let roles = format!(
            "CREATE ROLE {ENCRYPTED} LOGIN PASSWORD '{PASSWORD}'; CREATE ROLE {CERTIFIED} LOGIN; CREATE ROLE {LOCAL} LOGIN; \
             GRANT ALL ON ALL TABLES IN SCHEMA public TO {ENCRYPTED}, {CERTIFIED}, {LOCAL};"
        );
        execute(
            options.database(DATABASE),
            [&mas_database::layout(), admin, &roles].concat(),
        );
        Self {
            port,
            folder: cluster.folder.clone(),
            authority: authority.as_ref().pem(),
            stranger: stranger.as_ref().pem(),
            client: signed(CERTIFIED, &authority),
            forged: signed(CERTIFIED, &stranger),
            _cluster: cluster,
        }
    }
}

type Authority = CertifiedIssuer<'static, KeyPair>;

fn authority() -> Authority {
    let mut params = named("Authority of the tests");
    params.is_ca = IsCa::Ca(BasicConstraints::Unconstrained);
    let key = KeyPair::generate().expect("there is randomness");
    CertifiedIssuer::self_signed(params, key).expect("a key signs its own certificate")
}

/// A certificate for `name`, as the name of a host and of a role.
fn signed(name: &str, authority: &Authority) -> Certificate {
    let mut params = named(name);
    params.subject_alt_names = CertificateParams::new([name.to_owned()])
        .expect("it is a name")
        .subject_alt_names;
    let key = KeyPair::generate().expect("there is randomness");
    let certificate = params.signed_by(&key, authority).expect("an authority signs");
    Certificate {
        certificate: certificate.pem(),
        key: key.serialize_pem(),
    }
}

fn named(name: &str) -> CertificateParams {
    let mut params = CertificateParams::default();
    params.distinguished_name.push(DnType::CommonName, name);
    params
}
