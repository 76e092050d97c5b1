//! The certificates and the key of the section `database`, looked at when a connection failed: the driver does not say
//! which of them is wrong, or takes one without content for one that is right.

use std::{
    fs::{self, File},
    io::{self, Read},
    path::Path,
};

use rustls::pki_types::{CertificateDer, PrivateKeyDer, pem::PemObject};
use secrecy::ExposeSecret;
use zeroize::Zeroizing;

use crate::{
    config::{Pem, Postgres},
    error::{Code, Error},
};

/// More than any list of authorities has.
const LIMIT: u64 = 4 << 20;

/// What is wrong with the first that is not what it should be.
pub(super) fn problem(settings: &Postgres) -> Option<Error> {
    let certificate = |pem: &[u8]| CertificateDer::pem_slice_iter(pem).next().is_some_and(|it| it.is_ok());
    let key = |pem: &[u8]| PrivateKeyDer::from_pem_slice(pem).is_ok();
    wrong(settings.ssl_ca.as_ref(), "ssl_ca", "certificate", certificate)
        .or_else(|| {
            wrong(
                settings.ssl_certificate.as_ref(),
                "ssl_certificate",
                "certificate",
                certificate,
            )
        })
        .or_else(|| wrong(settings.ssl_key.as_ref(), "ssl_key", "private key", key))
}

fn wrong(pem: Option<&Pem>, key: &str, wanted: &str, is_right: impl Fn(&[u8]) -> bool) -> Option<Error> {
    let (place, text) = match pem? {
        Pem::Inline(text) => (
            format!("`database.{key}`"),
            Zeroizing::new(text.expose_secret().as_bytes().to_vec()),
        ),
        Pem::File(path) => match read(path) {
            Ok(text) => (
                format!("`database.{key}_file` names `{}`, which", path.display()),
                text?,
            ),
            Err(cause) => {
                let message = format!("`{}` (`database.{key}_file`) cannot be read: {cause}", path.display());
                let help = "The file must be readable for this user. A relative path starts from the current folder.";
                return Some(Error::new(Code::FileUnreadable, message).help(help));
            }
        },
    };
    if is_right(&text) {
        return None;
    }
    let error = Error::new(Code::ConfigInvalid, format!("{place} holds no {wanted}"));
    Some(error.help("A certificate or key in PEM begins with `-----BEGIN `."))
}

/// The content of a file. That of a pipe, which the driver may have read already, is not waited for.
fn read(path: &Path) -> io::Result<Option<Zeroizing<Vec<u8>>>> {
    let metadata = fs::metadata(path)?;
    if !metadata.is_file() && !metadata.is_dir() {
        return Ok(None);
    }
    // Growing would leave copies of a key behind.
    let room = usize::try_from(metadata.len().min(LIMIT)).unwrap_or_default();
    let mut text = Zeroizing::new(Vec::with_capacity(room + 1));
    File::open(path)?.take(LIMIT).read_to_end(&mut text)?;
    Ok(Some(text))
}
