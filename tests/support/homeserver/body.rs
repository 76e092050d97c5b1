//! The bodies of requests, read as strictly as Synapse reads them, and those of its refusals.

use serde_json::{Map, Value, json};
use wiremock::{Request, ResponseTemplate};

/// An answer, or a refusal.
pub(super) type Answer = Result<ResponseTemplate, Box<ResponseTemplate>>;

/// The answer of Synapse that something is not done.
pub(super) fn refusal(status: u16, code: &str, message: &str) -> Box<ResponseTemplate> {
    Box::new(ResponseTemplate::new(status).set_body_json(json!({ "errcode": code, "error": message })))
}

/// What a request does with a field.
pub(super) enum Setting<T> {
    Keep,
    Set(T),
    Unset,
}

/// The body of a request.
pub(super) struct Body(Map<String, Value>);

impl Body {
    pub(super) fn read(request: &Request) -> Result<Self, Box<ResponseTemplate>> {
        match request.body_json() {
            Ok(Value::Object(fields)) => Ok(Self(fields)),
            Ok(_) => Err(refusal(400, "M_BAD_JSON", "Content must be a JSON object.")),
            Err(_) => Err(refusal(400, "M_NOT_JSON", "Content not JSON.")),
        }
    }

    pub(super) fn text(&self, field: &str) -> Result<&str, Box<ResponseTemplate>> {
        self.value(field, Value::as_str)
    }

    pub(super) fn flag(&self, field: &str) -> Result<bool, Box<ResponseTemplate>> {
        self.value(field, Value::as_bool)
    }

    pub(super) fn texts(&self, field: &str) -> Result<Vec<String>, Box<ResponseTemplate>> {
        let texts = |value: &Value| {
            let items = value.as_array()?;
            items.iter().map(|item| item.as_str().map(str::to_owned)).collect()
        };
        self.value(field, texts)
    }

    /// A field that may be absent or null.
    pub(super) fn optional<'a, T>(
        &'a self,
        field: &str,
        read: impl Fn(&'a Self, &str) -> Result<T, Box<ResponseTemplate>>,
    ) -> Result<Option<T>, Box<ResponseTemplate>> {
        match self.0.get(field) {
            None | Some(Value::Null) => Ok(None),
            Some(_) => read(self, field).map(Some),
        }
    }

    /// `set_x` and `unset_x` exclude each other, whatever their values.
    pub(super) fn setting<'a, T>(
        &'a self,
        name: &str,
        read: impl Fn(&'a Self, &str) -> Result<T, Box<ResponseTemplate>>,
    ) -> Result<Setting<T>, Box<ResponseTemplate>> {
        let (set, unset) = (format!("set_{name}"), format!("unset_{name}"));
        if self.0.contains_key(&set) && self.0.contains_key(&unset) {
            let problem = format!("Cannot specify both {set} and {unset}");
            return Err(refusal(400, "M_INVALID_PARAM", &problem));
        }
        if self.optional(&unset, Self::flag)? == Some(true) {
            return Ok(Setting::Unset);
        }
        Ok(self.optional(&set, read)?.map_or(Setting::Keep, Setting::Set))
    }

    fn value<'a, T>(&'a self, field: &str, read: impl Fn(&'a Value) -> Option<T>) -> Result<T, Box<ResponseTemplate>> {
        let value = self
            .0
            .get(field)
            .ok_or_else(|| refusal(400, "M_MISSING_PARAM", "Field required"))?;
        read(value).ok_or_else(|| refusal(400, "M_BAD_JSON", "Input should be of another type"))
    }
}
