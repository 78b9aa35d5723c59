//! The store that tickets are kept in: which one, and what opens it.

use std::path::{Path, PathBuf};

use soticket::{SecretText, TicketCacheBuilder};

use super::Settings;
use crate::args::StoreFlags;
use crate::failure::Failure;
use crate::secret_input::{Prompt, SecretInput};

/// A store that is ready to be used.
#[derive(Debug)]
pub(crate) enum OpenStore {
    #[cfg(feature = "file-store")]
    Folder(soticket::store::FileStore, PathBuf),
    #[cfg(feature = "redis")]
    Redis(soticket::store::RedisStore),
}

/// A store as it was named.
enum Named {
    Folder(PathBuf),
    /// May hold a password.
    Url(SecretText),
}

impl OpenStore {
    #[cfg_attr(
        not(any(feature = "file-store", feature = "redis")),
        expect(unused_variables, reason = "there is no store")
    )]
    pub(crate) fn attach_to(self, cache: TicketCacheBuilder) -> TicketCacheBuilder {
        match self {
            #[cfg(feature = "file-store")]
            Self::Folder(store, _) => cache.with_store(store),
            #[cfg(feature = "redis")]
            Self::Redis(store) => cache.with_store(store),
        }
    }

    /// Where tickets are kept, for messages.
    pub(crate) fn place(&self) -> String {
        match *self {
            #[cfg(feature = "file-store")]
            Self::Folder(_, ref path) => format!("in `{}`", path.display()),
            #[cfg(feature = "redis")]
            Self::Redis(_) => "in Redis".to_owned(),
        }
    }
}

impl Settings {
    /// Opens the store that was named, if one was.
    pub(crate) fn store(&self, flags: &StoreFlags) -> Result<Option<OpenStore>, Failure> {
        match self.named_store(flags)? {
            Some(Named::Folder(path)) => self.open_folder(path, flags).map(Some),
            Some(Named::Url(url)) => self.open_redis(&url, flags).map(Some),
            None => Ok(None),
        }
    }

    fn named_store(&self, flags: &StoreFlags) -> Result<Option<Named>, Failure> {
        let file = &self.file;
        if let Some(text) = &flags.store {
            return Ok(named(text.clone()));
        }
        if let Some(path) = &flags.store_url_file {
            return url_in(path).map(Some);
        }
        match std::env::var(VARIABLE) {
            Ok(text) => return Ok(named(text)),
            Err(std::env::VarError::NotPresent) => {}
            Err(std::env::VarError::NotUnicode(_)) => {
                return Err(Failure::configuration(format!("{VARIABLE} is no UTF-8")));
            }
        }
        match (&file.store, &file.store_url_file) {
            (Some(_), Some(_)) => Err(Failure::configuration(format!(
                "{} has both `store` and `store-url-file`; leave one",
                file.name()
            ))),
            // A path in the settings file is meant from there.
            (Some(text), None) => Ok(named(text.clone()).map(|named| match named {
                Named::Folder(path) => Named::Folder(file.resolve(&path)),
                Named::Url(url) => Named::Url(url),
            })),
            (None, Some(path)) => url_in(path).map(Some),
            (None, None) => Ok(None),
        }
    }

    #[cfg(feature = "file-store")]
    fn open_folder(&self, path: PathBuf, flags: &StoreFlags) -> Result<OpenStore, Failure> {
        let store = soticket::store::FileStore::open(&path, self.store_key(flags)?)?;
        Ok(OpenStore::Folder(store, path))
    }

    #[cfg(not(feature = "file-store"))]
    #[expect(clippy::unused_self, reason = "with the store, the key is among the settings")]
    fn open_folder(&self, path: PathBuf, _: &StoreFlags) -> Result<OpenStore, Failure> {
        Err(Failure::configuration(format!(
            "this program cannot keep tickets in `{}`; build it with the cargo feature `file-store`",
            path.display()
        )))
    }

    #[cfg(feature = "redis")]
    fn open_redis(&self, url: &SecretText, flags: &StoreFlags) -> Result<OpenStore, Failure> {
        use soticket::store::{PlainNetwork, RedisStore, RedisStoreOptions};
        let mut options = RedisStoreOptions::new();
        if flags.store_plain_network || self.file.store_plain_network {
            options = options.with_plain_network(PlainNetwork::Trusted);
        }
        if let Some(path) = flags.store_ca_file.as_ref().or(self.file.store_ca_file.as_ref()) {
            options = options.with_root_certificates(super::trust::read(path, "certificate of the Redis")?);
        }
        let store = RedisStore::with_options(url.expose(), self.store_key(flags)?, options);
        let store = store.map_err(|error| {
            let message = "the ticket store cannot be used; --store-ca-file names its authority, and \
                           --store-plain-network allows a network without TLS";
            Failure::configuration(message).with_cause(error)
        })?;
        Ok(OpenStore::Redis(store))
    }

    #[cfg(not(feature = "redis"))]
    #[expect(clippy::unused_self, reason = "with the store, the key is among the settings")]
    fn open_redis(&self, _: &SecretText, _: &StoreFlags) -> Result<OpenStore, Failure> {
        Err(Failure::configuration(
            "this program cannot keep tickets in Redis; build it with the cargo feature `redis`, or name a folder",
        ))
    }

    /// What was said nearer to the command goes first: a flag, the environment, the settings file.
    #[cfg(any(feature = "file-store", feature = "redis"))]
    fn store_key(&self, flags: &StoreFlags) -> Result<soticket::store::StoreKey, Failure> {
        if let Some(name) = &flags.store_key_keyring {
            return key_of_keyring(name);
        }
        let is_said = flags.store_key_file.is_some() || std::env::var_os(KEY_VARIABLE).is_some();
        match (&self.file.store_key_keyring, &self.file.store_key_file) {
            (Some(_), Some(_)) => Err(Failure::configuration(format!(
                "{} has both `store-key-file` and `store-key-keyring`; leave one",
                self.file.name()
            ))),
            (Some(name), None) if !is_said => key_of_keyring(name),
            _ => self.key_as_text(flags),
        }
    }

    #[cfg(any(feature = "file-store", feature = "redis"))]
    fn key_as_text(&self, flags: &StoreFlags) -> Result<soticket::store::StoreKey, Failure> {
        super::parse_secret(&SecretInput {
            what: "store key",
            variable: Some(KEY_VARIABLE),
            flag: Some("--store-key-file"),
            file_of_flag: flags.store_key_file.clone(),
            file_of_settings: self.file.store_key_file.clone(),
            prompt: Prompt::Once,
        })
    }
}

#[cfg(all(feature = "keyring", any(feature = "file-store", feature = "redis")))]
fn key_of_keyring(name: &str) -> Result<soticket::store::StoreKey, Failure> {
    Ok(soticket::store::StoreKey::from_keyring(name)?)
}

#[cfg(all(not(feature = "keyring"), any(feature = "file-store", feature = "redis")))]
fn key_of_keyring(name: &str) -> Result<soticket::store::StoreKey, Failure> {
    Err(Failure::configuration(format!(
        "this program cannot ask a keyring for the store key `{name}`; build it with the cargo feature `keyring`, or \
         use --store-key-file"
    )))
}

/// A folder or a URL; an empty text is no store, whatever the settings file says.
fn named(text: String) -> Option<Named> {
    match text.as_str() {
        "" => None,
        url if url.contains("://") => Some(Named::Url(SecretText::new(text))),
        _ => Some(Named::Folder(PathBuf::from(text))),
    }
}

fn url_in(path: &Path) -> Result<Named, Failure> {
    let input = SecretInput {
        what: "URL of the ticket store",
        variable: None,
        flag: Some("--store-url-file"),
        file_of_flag: Some(path.to_owned()),
        file_of_settings: None,
        prompt: Prompt::Once,
    };
    Ok(Named::Url(input.read()?))
}

const VARIABLE: &str = "SOTICKET_STORE";

#[cfg(any(feature = "file-store", feature = "redis"))]
const KEY_VARIABLE: &str = "SOTICKET_STORE_KEY";
