//! Secrets as JSON: everything about them but their values, which only come in.

use fermata_service::request::{SecretUse, SecretUser};
use fermata_service::secrets::{Rotated, SecretView};
use serde::{Deserialize, Serialize};
use utoipa::{IntoParams, ToSchema};
use zeroize::Zeroizing;

/// A value to be kept. No answer ever holds it.
#[derive(Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
#[schema(as = SecretOrder)]
pub(crate) struct SecretOrderBody {
    /// The value, 8 to 16,384 bytes, taken as it is.
    #[schema(value_type = String, format = Password, write_only, min_length = 8)]
    pub(crate) value: Zeroizing<String>,
}

/// A secret, without its value.
#[derive(Debug, Serialize, ToSchema)]
#[schema(as = Secret)]
pub(crate) struct SecretBody {
    /// The name.
    pub(crate) name: String,
    /// Counts how often it was set; also its `ETag`.
    pub(crate) revision: u64,
    /// When it was last set.
    pub(crate) set_at: String,
    /// By whom.
    pub(crate) set_by: String,
    /// Names the key that it is sealed with.
    pub(crate) key: String,
    /// Whether the server can open it.
    pub(crate) opens: bool,
    /// Why not.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) fault: Option<String>,
    /// What it is granted to.
    pub(crate) granted_to: Vec<SecretUseBody>,
}

/// What a secret is granted to: a version of a component, or the scripts of a process.
#[derive(Debug, Serialize, ToSchema)]
#[schema(as = SecretUse)]
pub(crate) struct SecretUseBody {
    /// The registry name of the component.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) component: Option<String>,
    /// Its version, `MAJOR.MINOR.PATCH`.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) version: Option<String>,
    /// The process whose scripts may use it.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) process: Option<String>,
    /// Hosts to which it may be sent.
    pub(crate) hosts: Vec<String>,
}

impl SecretBody {
    /// A secret with what it is granted to.
    pub(crate) fn of(secret: &SecretView, uses: &[SecretUse]) -> Self {
        let granted = uses
            .iter()
            .filter(|granted| granted.name == secret.name.as_str());
        let granted = granted.map(|granted| {
            let (component, version, process) = match &granted.user {
                SecretUser::Component(name, version) => {
                    (Some(name.to_string()), Some(version.to_string()), None)
                }
                SecretUser::Scripts(process) => (None, None, Some(process.to_string())),
            };
            SecretUseBody {
                component,
                version,
                process,
                hosts: granted.hosts.clone(),
            }
        });
        Self {
            name: secret.name.to_string(),
            revision: secret.revision,
            set_at: secret.set_at.to_string(),
            set_by: secret.set_by.to_string(),
            key: secret.key.to_string(),
            opens: secret.fault.is_none(),
            fault: secret.fault.map(|fault| fault.to_string()),
            granted_to: granted.collect(),
        }
    }
}

/// Whether a secret that is in use is deleted all the same.
#[derive(Debug, Default, Deserialize, IntoParams)]
#[serde(deny_unknown_fields)]
#[into_params(parameter_in = Query)]
pub(crate) struct ForceParams {
    /// Also while component versions are granted it.
    #[serde(default)]
    pub(crate) force: bool,
}

/// What a change of the key came to.
#[derive(Debug, Serialize, ToSchema)]
#[schema(as = SecretsRotated)]
pub(crate) struct RotatedBody {
    /// Names the key that seals from now on.
    pub(crate) key: String,
    /// How many secrets were sealed again.
    pub(crate) resealed: usize,
    /// Secrets that do not open, and stay as they were.
    pub(crate) left: Vec<String>,
}

impl From<Rotated> for RotatedBody {
    fn from(rotated: Rotated) -> Self {
        Self {
            key: rotated.key.to_string(),
            resealed: rotated.resealed,
            left: rotated.left.iter().map(ToString::to_string).collect(),
        }
    }
}
