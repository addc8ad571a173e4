//! Handles become secrets, in the last moment before a call is sent.
//!
//! Only where a tool takes a secret is a handle one: anywhere else it is a text like any other, and travels as it
//! is.

use std::str::FromStr;

use jiff::Timestamp;
use serde_json::{Map, Value};

use crate::error::Fault;
use crate::policy::hand_over::Handle;
use crate::spec::Call;
use crate::spec::marks::{Kind, Mark, Path, Shape};
use crate::vault::{Vault, VaultError};

/// What every handle begins with, whether it is whole or not.
const PREFIX: &str = "handle:";

/// Why a secret argument can't be sent.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum RedeemError {
    /// The handle leads nowhere for this caller.
    #[error("this handle is another session's, has expired or never was")]
    Unknown {
        /// The argument.
        path: String,
    },
    /// The vault can't be read. The log says why.
    #[error("what this handle stands for can't be read")]
    Unreadable {
        /// The argument.
        path: String,
    },
}

impl RedeemError {
    /// What is wrong where, and the fix.
    pub fn fault(&self) -> Fault {
        let (path, fix) = match self {
            Self::Unknown { path } => (
                path,
                "make the call again that gave it, and use its handle unchanged; or leave the secret out",
            ),
            Self::Unreadable { path } => (path, "tell the operator, whose log says why"),
        };
        Fault::new(path.clone(), self.to_string(), fix)
    }
}

/// The arguments of `call` with what its handles stand for, in `scope`, at `now` by the wall clock; `None` where
/// it has none.
///
/// # Errors
/// [`RedeemError`] for the first handle that `scope` can't redeem.
pub(super) async fn redeemed(
    vault: &Vault,
    call: &Call,
    scope: &str,
    now: Timestamp,
) -> Result<Option<Map<String, Value>>, RedeemError> {
    let mut found = false;
    let mut arguments = Value::Object(call.arguments().clone());
    visit(call.tool().request(), &mut arguments, &Path::Root, &mut |_, _| {
        found = true;
        Ok(())
    })?;
    if !found {
        return Ok(None);
    }
    let (vault, shape, scope) = (vault.clone(), call.tool().request(), scope.to_owned());
    let redeem = move || {
        visit(shape, &mut arguments, &Path::Root, &mut |path, text| {
            *text = secret(&vault, &scope, text, now, path)?;
            Ok(())
        })?;
        Ok(arguments)
    };
    match tokio::task::spawn_blocking(redeem).await {
        Ok(Ok(Value::Object(arguments))) => Ok(Some(arguments)),
        Ok(Err(error)) => Err(error),
        Ok(Ok(_)) | Err(_) => Err(RedeemError::Unreadable { path: String::new() }),
    }
}

fn secret(
    vault: &Vault,
    scope: &str,
    text: &str,
    now: Timestamp,
    path: &Path<'_>,
) -> Result<String, RedeemError> {
    let unknown = || RedeemError::Unknown { path: path.to_string() };
    let handle = Handle::from_str(text).map_err(|_| unknown())?;
    match vault.redeem(scope, &handle, now) {
        Ok(redeemed) => Ok(redeemed.expose().to_owned()),
        Err(VaultError::Unknown) => Err(unknown()),
        Err(error) => {
            tracing::error!(%error, "a handle can't be redeemed");
            Err(RedeemError::Unreadable { path: path.to_string() })
        }
    }
}

/// Whether a secret argument is meant to be a handle, whole or not: what looks like one is never sent as a secret,
/// which the agent would then know.
fn is_meant_as_handle(text: &str) -> bool {
    let text = text.trim_start();
    text.get(..PREFIX.len()).is_some_and(|start| start.eq_ignore_ascii_case(PREFIX))
}

/// Calls `change` for every secret argument that is meant to be a handle.
fn visit(
    shape: &Shape,
    value: &mut Value,
    path: &Path<'_>,
    change: &mut impl FnMut(&Path<'_>, &mut String) -> Result<(), RedeemError>,
) -> Result<(), RedeemError> {
    match (shape.mark, &shape.kind, value) {
        (Some(Mark::Omit), _, Value::String(text)) if is_meant_as_handle(text) => change(path, text),
        (_, Kind::Object(fields), Value::Object(object)) => fields.iter().try_for_each(|(name, shape)| {
            object.get_mut(name).map_or(Ok(()), |value| visit(shape, value, &Path::Field(path, name), change))
        }),
        (_, Kind::List(item), Value::Array(items)) => items
            .iter_mut()
            .enumerate()
            .try_for_each(|(index, value)| visit(item, value, &Path::Index(path, index), change)),
        (_, Kind::Map(item), Value::Object(object)) => object
            .iter_mut()
            .try_for_each(|(name, value)| visit(item, value, &Path::Field(path, name), change)),
        (
            _,
            Kind::Object(_)
            | Kind::List(_)
            | Kind::Map(_)
            | Kind::Text
            | Kind::Integer
            | Kind::Number
            | Kind::Flag
            | Kind::Any,
            _,
        ) => Ok(()),
    }
}
