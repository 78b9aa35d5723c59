//! Where tickets are kept beyond a process's own memory: what a store is, and those that cargo features bring in.
//!
//! | cargo feature | store | for |
//! | --- | --- | --- |
//! | | [`MemoryStore`] | several caches of one process, and tests |
//! | `file-store` (default) | `FileStore` | the processes of one machine |
//! | `redis` | `RedisStore` | a fleet of machines |
//!
//! Both encrypt under a `StoreKey`, which the feature `keyring` keeps in the platform's keyring.

pub use soticket_core::store::*;
#[cfg(feature = "file-store")]
pub use soticket_store::FileStore;
#[cfg(any(feature = "file-store", feature = "keyring", feature = "redis"))]
pub use soticket_store::{MAX_RECORD_SIZE, ParseStoreKeyError, StoreKey};
#[cfg(feature = "redis")]
pub use soticket_store::{PlainNetwork, RedisStore, RedisStoreOptions};
