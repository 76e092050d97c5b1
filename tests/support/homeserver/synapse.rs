//! The users and devices of the homeserver, and the answers of `/_synapse/mas/*`.

use std::{
    collections::{BTreeMap, BTreeSet},
    fmt::Write,
};

use serde_json::json;
use wiremock::{Request, ResponseTemplate};

use super::{
    BROKEN, BROKEN_USER, SECRET, TAKEN,
    body::{Answer, Body, Setting, refusal},
};

/// The calls that read, then those that write.
const READS: [&str; 2] = ["is_localpart_available", "query_user"];
const WRITES: [&str; 10] = [
    "provision_user",
    "upsert_device",
    "update_device_display_name",
    "delete_device",
    "sync_devices",
    "delete_user",
    "reactivate_user",
    "set_displayname",
    "unset_displayname",
    "allow_cross_signing_reset",
];

/// The users by localpart.
pub(super) struct Synapse(BTreeMap<String, User>);

#[derive(Default)]
struct User {
    display_name: Option<String>,
    avatar_url: Option<String>,
    emails: BTreeSet<String>,
    locked: bool,
    deactivated: bool,
    erased: bool,
    devices: BTreeMap<String, String>,
}

impl Default for Synapse {
    fn default() -> Self {
        let mut synapse = Self(BTreeMap::new());
        synapse.add(TAKEN);
        synapse.add(BROKEN_USER);
        synapse
    }
}

impl Synapse {
    /// A user whom nobody told of a name has its localpart as one.
    pub(super) fn add(&mut self, localpart: &str) {
        let user = User {
            display_name: Some(localpart.to_owned()),
            ..User::default()
        };
        self.0.insert(localpart.to_owned(), user);
    }

    /// A line for each user that was made: `alice "Alice" locked <a@example.com> LAPTOP PHONE="Phone"`.
    pub(super) fn lines(&self) -> Vec<String> {
        let made = self
            .0
            .iter()
            .filter(|(name, _)| ![TAKEN, BROKEN_USER].contains(&name.as_str()));
        made.map(|(localpart, user)| user.line(localpart)).collect()
    }

    /// Synapse looks at the path, the method, the secret and the body, in this order.
    pub(super) fn answer(&mut self, request: &Request) -> ResponseTemplate {
        let path = request.url.path();
        let name = path.strip_prefix("/_synapse/mas/").unwrap_or_default();
        let method = match name {
            name if READS.contains(&name) => "GET",
            name if WRITES.contains(&name) => "POST",
            _ => return ResponseTemplate::new(404).set_body_raw("<html>No Such Resource</html>", "text/html"),
        };
        if request.method.as_str() != method {
            return *refusal(405, "M_UNRECOGNIZED", "Unrecognized request");
        }
        let answer = authorized(request).and_then(|()| match name {
            "is_localpart_available" => self.localpart_available(request),
            "query_user" => self.user_queried(request),
            "provision_user" => self.user_provisioned(&Body::read(request)?),
            _ => self.user_changed(name, &Body::read(request)?),
        });
        answer.unwrap_or_else(|refusal| *refusal)
    }

    fn localpart_available(&self, request: &Request) -> Answer {
        let localpart = queried_localpart(request, "M_UNKNOWN")?;
        self.check_new(&localpart)?;
        Ok(done(200))
    }

    /// A new user's localpart must be valid, and nobody's in whatever case.
    fn check_new(&self, localpart: &str) -> Result<(), Box<ResponseTemplate>> {
        if !is_valid(localpart) {
            let problem = "User ID can only contain characters a-z, 0-9, or '=_-./+'";
            return Err(refusal(400, "M_INVALID_USERNAME", problem));
        }
        if self.0.keys().any(|taken| taken.eq_ignore_ascii_case(localpart)) {
            return Err(refusal(400, "M_USER_IN_USE", "User ID already taken."));
        }
        Ok(())
    }

    fn user_queried(&self, request: &Request) -> Answer {
        let localpart = queried_localpart(request, "M_MISSING_PARAM")?;
        let user = self.0.get(&localpart).ok_or_else(unknown_user)?;
        Ok(ResponseTemplate::new(200).set_body_json(json!({
            "user_id": format!("@{localpart}:example.com"),
            "display_name": user.display_name,
            "avatar_url": user.avatar_url,
            "is_suspended": false,
            "is_deactivated": user.deactivated,
        })))
    }

    fn user_provisioned(&mut self, body: &Body) -> Answer {
        let localpart = body.text("localpart")?;
        let display_name = body.setting("displayname", Body::text)?;
        let avatar_url = body.setting("avatar_url", Body::text)?;
        let emails = body.setting("emails", Body::texts)?;
        let locked = body.optional("locked", Body::flag)?;
        if localpart == BROKEN_USER {
            return Err(internal());
        }
        let is_new = !self.0.contains_key(localpart);
        if is_new {
            self.check_new(localpart)?;
            self.add(localpart);
        }
        let addresses = match emails {
            Setting::Set(addresses) => Some(addresses),
            Setting::Unset => Some(Vec::new()),
            Setting::Keep => None,
        };
        if let Some(addresses) = addresses {
            if addresses.iter().any(|address| !address.contains('@')) {
                return Err(refusal(400, "M_UNKNOWN", "Unable to parse email address"));
            }
            let addresses: BTreeSet<String> = addresses.iter().map(|address| address.to_lowercase()).collect();
            // An address is one user's: who had it before has it no longer.
            for user in self.0.values_mut() {
                user.emails.retain(|address| !addresses.contains(address));
            }
            self.user(localpart)?.emails = addresses;
        }
        let user = self.user(localpart)?;
        user.locked = locked.unwrap_or(user.locked);
        match display_name {
            Setting::Set(name) => user.display_name = filled(name),
            // A new user has its localpart as a name all the same.
            Setting::Unset if !is_new => user.display_name = None,
            Setting::Unset | Setting::Keep => {}
        }
        match avatar_url {
            Setting::Set(url) => user.avatar_url = filled(url),
            Setting::Unset => user.avatar_url = None,
            Setting::Keep => {}
        }
        Ok(done(if is_new { 201 } else { 200 }))
    }

    fn user_changed(&mut self, name: &str, body: &Body) -> Answer {
        let localpart = body.text("localpart")?;
        let of = |call| call == name;
        let erase = of("delete_user").then(|| body.flag("erase")).transpose()?;
        let display_name = of("set_displayname").then(|| body.text("displayname")).transpose()?;
        let devices = of("sync_devices").then(|| body.texts("devices")).transpose()?;
        if localpart == BROKEN_USER {
            return Err(internal());
        }
        if let Some(devices) = devices {
            return self.user(localpart)?.sync(devices);
        }
        if name.contains("device") {
            return self.device_changed(name, localpart, body);
        }
        let user = self.user(localpart)?;
        match name {
            "delete_user" => {
                user.deactivated = true;
                user.devices.clear();
                user.emails.clear();
                if erase == Some(true) {
                    user.erased = true;
                    (user.display_name, user.avatar_url) = (None, None);
                }
            }
            "reactivate_user" => (user.deactivated, user.erased) = (false, false),
            "set_displayname" | "unset_displayname" => user.display_name = display_name.map(str::to_owned),
            _ => {}
        }
        Ok(done(200))
    }

    fn device_changed(&mut self, name: &str, localpart: &str, body: &Body) -> Answer {
        let device = body.text("device_id")?.to_owned();
        let display_name = match name {
            "upsert_device" => body.optional("display_name", Body::text)?,
            "update_device_display_name" => Some(body.text("display_name")?),
            _ => None,
        };
        if display_name.is_some_and(|name| name.chars().count() > 100) {
            return Err(refusal(400, "M_TOO_LARGE", "Device display name is too long (max 100)"));
        }
        if device == BROKEN {
            return Err(internal());
        }
        let user = self.user(localpart)?;
        let is_new = !user.devices.contains_key(&device);
        match name {
            "delete_device" => {
                user.devices.remove(&device);
                return Ok(ResponseTemplate::new(204));
            }
            "update_device_display_name" if is_new => return Err(refusal(404, "M_NOT_FOUND", "Not found")),
            _ => {}
        }
        let kept = user.devices.entry(device).or_default();
        if let Some(name) = display_name {
            name.clone_into(kept);
        }
        Ok(done(if is_new && name == "upsert_device" { 201 } else { 200 }))
    }

    fn user(&mut self, localpart: &str) -> Result<&mut User, Box<ResponseTemplate>> {
        self.0.get_mut(localpart).ok_or_else(unknown_user)
    }
}

impl User {
    fn sync(&mut self, devices: Vec<String>) -> Answer {
        if devices.iter().any(|device| device == BROKEN) {
            return Err(internal());
        }
        let named = |device: String| {
            let name = self.devices.get(&device).cloned().unwrap_or_default();
            (device, name)
        };
        self.devices = devices.into_iter().map(named).collect();
        Ok(done(200))
    }

    fn line(&self, localpart: &str) -> String {
        let mut line = localpart.to_owned();
        let profile = [&self.display_name, &self.avatar_url];
        for text in profile.into_iter().flatten() {
            let _ = write!(line, " {text:?}");
        }
        for (flag, word) in [
            (self.locked, " locked"),
            (self.deactivated, " deactivated"),
            (self.erased, " erased"),
        ] {
            line += if flag { word } else { "" };
        }
        for address in &self.emails {
            let _ = write!(line, " <{address}>");
        }
        for (device, name) in &self.devices {
            let _ = write!(line, " {device}");
            if !name.is_empty() {
                let _ = write!(line, "={name:?}");
            }
        }
        line
    }
}

fn authorized(request: &Request) -> Result<(), Box<ResponseTemplate>> {
    let header = request
        .headers
        .get("authorization")
        .and_then(|value| value.to_str().ok());
    match header.and_then(|value| value.strip_prefix("Bearer ")) {
        Some(SECRET) => Ok(()),
        Some(_) => Err(refusal(403, "M_UNKNOWN", "This endpoint must only be called by MAS")),
        None => Err(refusal(401, "M_MISSING_TOKEN", "Missing access token")),
    }
}

/// The localpart of a call that reads. Without one, each of them has a code of its own.
fn queried_localpart(request: &Request, code: &str) -> Result<String, Box<ResponseTemplate>> {
    let mut pairs = request.url.query_pairs();
    let Some((_, localpart)) = pairs.find(|(name, _)| name == "localpart") else {
        return Err(refusal(400, code, "Query parameter 'localpart' is missing"));
    };
    if !localpart.is_ascii() {
        return Err(refusal(400, "M_UNKNOWN", "Query parameter 'localpart' must be ascii"));
    }
    Ok(localpart.into_owned())
}

fn is_valid(localpart: &str) -> bool {
    let is_allowed = |byte: u8| byte.is_ascii_lowercase() || byte.is_ascii_digit() || b"=_-./+".contains(&byte);
    !localpart.starts_with('_')
        && localpart.bytes().all(is_allowed)
        && !localpart.bytes().all(|byte| byte.is_ascii_digit())
        && localpart.len() + "@:example.com".len() <= 255
}

fn filled(text: &str) -> Option<String> {
    (!text.is_empty()).then(|| text.to_owned())
}

fn done(status: u16) -> ResponseTemplate {
    ResponseTemplate::new(status).set_body_json(json!({}))
}

fn unknown_user() -> Box<ResponseTemplate> {
    refusal(404, "M_NOT_FOUND", "User not found")
}

fn internal() -> Box<ResponseTemplate> {
    refusal(500, "M_UNKNOWN", "Internal server error")
}
