//! `policy::`: look at the data that MAS's policy is given, and set it.

#[cfg_attr(
    not(test),
    expect(clippy::wildcard_imports, reason = "what the macro writes names all of it")
)]
use rhai::plugin::*;
use rhai::{Dynamic, Map, Module, NativeCallContext};
use serde_json::Value;

use super::{Perhaps, Scripted, call, expose, id_of, or_unit};
use crate::{
    capability::{Capability, Resource},
    error::{Code, Error},
    model::PolicyData,
    operations,
};

const READ: Capability = Capability::read(Resource::Policy);
const WRITE: Capability = Capability::write(Resource::Policy);

pub(super) fn module() -> Module {
    let mut module = exported_module!(policy);
    expose::<PolicyData>(&mut module);
    module
}

#[export_module]
mod policy {
    /// Data that MAS's policy is given beside its configuration.
    pub type PolicyData = crate::model::PolicyData;

    /// Get the policy data that is in force; `()` if there is none.
    ///
    /// Needs `policy:read`. Fails with `policy.invalid`.
    ///
    /// ```rhai
    /// let latest = policy::latest();
    /// if latest != () { say(latest.created_at); }
    /// ```
    #[rhai_fn(return_raw)]
    pub fn latest(context: NativeCallContext) -> Scripted<Perhaps<PolicyData>> {
        let latest = call(&context, READ, |run| run.wait(operations::policy::latest(run)))?;
        Ok(or_unit(latest.map(Dynamic::from)))
    }

    /// Get policy data by its id, also such as is no longer in force.
    ///
    /// Needs `policy:read`. Fails with `policy.invalid`, `policy.not_found`, `value.invalid`.
    ///
    /// ```rhai
    /// say(policy::get("01DXF6DT000000000000000PD1").data);
    /// ```
    #[rhai_fn(return_raw)]
    pub fn get(context: NativeCallContext, id: &str) -> Scripted<PolicyData> {
        call(&context, READ, |run| run.wait(operations::policy::get(run, id_of(id)?)))
    }

    /// Put policy data in force, a map. What was in force before stays as it was, and can be set again.
    ///
    /// Needs `policy:write`. Fails with `policy.invalid`, `policy.newer`.
    ///
    /// ```rhai
    /// policy::set(#{ admin_users: ["alice"] });
    /// ```
    #[rhai_fn(return_raw, name = "set")]
    pub fn set(context: NativeCallContext, data: Map) -> Scripted<PolicyData> {
        call(&context, WRITE, |run| {
            let data: Value = rhai::serde::from_dynamic(&Dynamic::from(data)).map_err(|error| {
                Error::new(Code::PolicyInvalid, "The policy data has a value that is no JSON").caused_by(error)
            })?;
            run.wait(operations::policy::set(run, &data))
        })
    }

    /// Put policy data in force, the text of a JSON object.
    ///
    /// Needs `policy:write`. Fails with `argument.invalid`, `policy.invalid`, `policy.newer`.
    ///
    /// ```rhai
    /// policy::set(`{"admin_users": ["alice"]}`);
    /// ```
    #[rhai_fn(return_raw, name = "set")]
    pub fn set_text(context: NativeCallContext, data: &str) -> Scripted<PolicyData> {
        call(&context, WRITE, |run| {
            let data = operations::policy::parse(data)?;
            run.wait(operations::policy::set(run, &data))
        })
    }
}
