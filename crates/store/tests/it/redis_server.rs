//! Stores over a real Redis, and a look at what it holds.

use std::process::Command;

use redis::Commands as _;
use soticket_store::{RedisStore, RedisStoreOptions};

pub(crate) use crate::redis_process::{RedisServer, free_port};
use crate::support::store_key;

impl RedisServer {
    pub(crate) fn port(&self) -> u16 {
        self.port
    }

    pub(crate) fn signal(&self, name: &str) {
        let id = self.process.id().to_string();
        assert!(Command::new("kill").args(["-s", name, &id]).status().unwrap().success());
    }

    pub(crate) fn store(&self) -> RedisStore {
        RedisStore::new(&self.url(), store_key()).unwrap()
    }

    pub(crate) fn store_with(&self, options: RedisStoreOptions) -> RedisStore {
        RedisStore::with_options(&self.url(), store_key(), options).unwrap()
    }

    /// A connection that is no store's.
    pub(crate) fn connect(&self) -> redis::Connection {
        redis::Client::open(self.url()).unwrap().get_connection().unwrap()
    }

    /// The name of the only key that ends like this.
    pub(crate) fn only_key(&self, ending: &str) -> String {
        let keys: Vec<String> = self.connect().keys(format!("*:{ending}")).unwrap();
        assert_eq!(keys.len(), 1, "{keys:?}");
        keys.into_iter().next().unwrap()
    }
}
