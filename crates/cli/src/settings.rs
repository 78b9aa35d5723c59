//! Settings from flags, else the environment, else the settings file; each parsed here, with its origin in the error.

mod file;
mod limits;
mod signer;
mod store;
mod tenants;
mod trust;

use std::path::Path;
use std::str::FromStr;

use soticket::{ClientSecret, ContextIdentifier, Environment, SignerUri, SystemUserToken};

use crate::args::{ConnectionArgs, Transport};
use crate::failure::Failure;
use crate::secret_input::{Prompt, SecretInput, SharedSecret};
use file::SettingsFile;
#[cfg(any(feature = "pkcs11", all(feature = "pem", feature = "aws-kms")))]
pub(crate) use signer::named_signer;
#[cfg(feature = "pkcs11")]
pub(crate) use signer::pin_tries;
pub(crate) use signer::{key_passphrase, pkcs11_pin, with_pin_tries};
pub(crate) use store::OpenStore;
pub(crate) use tenants::Listed;
pub(crate) use trust::public_key;

/// Everything that was said, wherever it was said.
#[derive(Debug)]
pub(crate) struct Settings {
    args: ConnectionArgs,
    file: SettingsFile,
    pin: SharedSecret,
}

/// A setting as it was written, and where.
struct Said {
    text: String,
    origin: String,
}

impl Settings {
    /// Reads the settings file, which is `config` or where it is looked for by default.
    pub(crate) fn new(args: ConnectionArgs, config: Option<&Path>) -> Result<Self, Failure> {
        let file = SettingsFile::find(config)?;
        let pin = pkcs11_pin(&args.token, file.pkcs11_pin_file.clone());
        let settings = Self { args, file, pin };
        settings.transport()?;
        Ok(settings)
    }

    pub(crate) fn environment(&self) -> Result<Environment, Failure> {
        self.required("environment", self.args.environment.as_deref(), self.file.environment.as_deref())
    }

    pub(crate) fn context(&self) -> Result<ContextIdentifier, Failure> {
        self.required("context", self.args.context.as_deref(), self.file.context.as_deref())
    }

    pub(crate) fn signer_uri(&self) -> Result<SignerUri, Failure> {
        let uri: SignerUri =
            self.required("signer", self.args.signer.as_deref(), self.file.signer.as_deref())?;
        let from_file = self.args.signer.is_none() && std::env::var_os("SOTICKET_SIGNER").is_none();
        match uri.as_file() {
            // A path in the settings file is meant from there.
            Some(path) if from_file => Ok(SignerUri::from(self.file.resolve(path))),
            _ => Ok(uri),
        }
    }

    pub(crate) fn client_secret(&self) -> Result<ClientSecret, Failure> {
        let input = SecretInput {
            what: "client secret",
            variable: Some("SOTICKET_CLIENT_SECRET"),
            flag: Some("--client-secret-file"),
            file_of_flag: self.args.client_secret_file.clone(),
            file_of_settings: self.file.client_secret_file.clone(),
            prompt: Prompt::Once,
        };
        parse_secret(&input)
    }

    pub(crate) fn system_user_token(&self) -> Result<SystemUserToken, Failure> {
        parse_secret(&SecretInput {
            what: "system user token",
            variable: Some("SOTICKET_SYSTEM_USER_TOKEN"),
            flag: Some("--system-user-token-file"),
            file_of_flag: self.args.system_user_token_file.clone(),
            file_of_settings: self.file.system_user_token_file.clone(),
            prompt: Prompt::Once,
        })
    }

    fn transport(&self) -> Result<soticket::Transport, Failure> {
        let variable = std::env::var("SOTICKET_TRANSPORT").ok();
        let said = match (self.args.transport, variable, self.file.transport.clone()) {
            (Some(transport), ..) => transport,
            (None, Some(text), _) | (None, None, Some(text)) => {
                <Transport as clap::ValueEnum>::from_str(text.as_str(), false).map_err(|_| {
                    Failure::configuration(format!("`{text}` is no transport; use rest or soap"))
                })?
            }
            (None, None, None) => Transport::Rest,
        };
        match said {
            Transport::Rest => Ok(soticket::Transport::Rest),
            #[cfg(feature = "soap")]
            Transport::Soap => Ok(soticket::Transport::Soap),
            #[cfg(not(feature = "soap"))]
            Transport::Soap => Err(Failure::configuration(
                "this program speaks REST only; use `--transport rest`, or build it with the cargo feature `soap`",
            )),
        }
    }

    fn required<T>(&self, name: &str, flag: Option<&str>, file: Option<&str>) -> Result<T, Failure>
    where
        T: FromStr<Err: std::error::Error + 'static>,
    {
        let variable = format!("SOTICKET_{}", name.to_uppercase());
        let said = flag
            .map(|text| Said { text: text.to_owned(), origin: format!("--{name}") })
            .or_else(|| std::env::var(&variable).ok().map(|text| Said { text, origin: variable.clone() }))
            .or_else(|| {
                file.map(|text| Said {
                    text: text.to_owned(),
                    origin: format!("`{name}` in {}", self.file.name()),
                })
            });
        let said = said.ok_or_else(|| {
            Failure::configuration(format!(
                "no {name} is set; use --{name}, {variable}, or `{name}` in {}",
                self.file.name()
            ))
        })?;
        parse(&said)
    }
}

fn parse<T>(said: &Said) -> Result<T, Failure>
where
    T: FromStr<Err: std::error::Error + 'static>,
{
    said.text
        .parse()
        .map_err(|error| Failure::configuration(format!("{} cannot be used", said.origin)).with_cause(error))
}

fn parse_secret<T>(input: &SecretInput) -> Result<T, Failure>
where
    T: FromStr<Err: std::error::Error + 'static>,
{
    let secret = input.read()?;
    secret.expose().parse().map_err(|error| {
        Failure::configuration(format!("the {} cannot be used", input.what)).with_cause(error)
    })
}
