//! Records as they leave the process: encrypted, and bound to whose they are, their fence and their end.
//!
//! `SOTK`, the version, the key's id, the fence, the end in microseconds, the nonce, and the contents under
//! AES-256-GCM-SIV. All that stands before the nonce is authenticated, and so is the [`TicketKey`] that a record is kept
//! under, which does not stand in it.
//!
//! [`TicketKey`]: soticket_core::store::TicketKey

use std::fmt;

use aws_lc_rs::aead::{AES_256_GCM_SIV, Aad, NONCE_LEN, Nonce, RandomizedNonceKey};
use aws_lc_rs::{hkdf, hmac};
use jiff::Timestamp;
use soticket_core::store::{Fence, Record, StoreError, StoreErrorKind, TicketKey};
use thiserror::Error;
use zeroize::Zeroizing;

use crate::key::StoreKey;

/// The most that a sealed record may have, in bytes; more is neither kept nor read. Tickets have a few thousand.
pub const MAX_RECORD_SIZE: usize = 64 * 1024;

/// The bytes of the [`TicketKey`] that a record is kept under.
pub(crate) type Owner = [u8; TicketKey::LENGTH];

/// Seals records, and opens those that were sealed under the same key.
pub(crate) struct Sealer {
    cipher: RandomizedNonceKey,
    key_id: [u8; KEY_ID_LENGTH],
}

impl Sealer {
    pub(crate) fn new(key: &StoreKey) -> Result<Self, StoreError> {
        let refused = |cause| {
            let message = "the cryptographic library refuses the store key; report it, without the key";
            StoreError::new(StoreErrorKind::Configuration, message).with_source(cause)
        };
        let mut bytes = Zeroizing::new([0; StoreKey::LENGTH]);
        let secret = hkdf::Salt::new(hkdf::HKDF_SHA256, &[]).extract(key.expose());
        let derived = secret.expand(&[SEALING_PURPOSE], hkdf::HKDF_SHA256);
        derived.and_then(|derived| derived.fill(bytes.as_mut_slice())).map_err(refused)?;
        let cipher = RandomizedNonceKey::new(&AES_256_GCM_SIV, bytes.as_slice()).map_err(refused)?;
        let tag = hmac::sign(&hmac::Key::new(hmac::HMAC_SHA256, key.expose()), KEY_ID_PURPOSE);
        let mut key_id = [0; KEY_ID_LENGTH];
        key_id.iter_mut().zip(tag.as_ref()).for_each(|(to, from)| *to = *from);
        Ok(Self { cipher, key_id })
    }

    /// The sealed form of `record`, which is kept under `owner`.
    pub(crate) fn seal(&self, owner: &Owner, record: &Record) -> Result<Zeroizing<Vec<u8>>, SealError> {
        let length = OVERHEAD + record.contents.len();
        if length > MAX_RECORD_SIZE {
            return Err(SealError::TooLong(length));
        }
        let header = self.header(record);
        // It holds the contents in the clear until they are sealed.
        let mut sealed = Zeroizing::new(Vec::with_capacity(length));
        sealed.extend_from_slice(&header);
        sealed.extend_from_slice(&[0; NONCE_LEN]);
        sealed.extend_from_slice(&record.contents);
        let (before, contents) = sealed.split_at_mut(BODY_AT);
        let aad = Aad::from(authenticated(&header, owner));
        let (nonce, tag) =
            self.cipher.seal_in_place_separate_tag(aad, contents).map_err(|_| SealError::Library)?;
        before.iter_mut().skip(HEADER_LENGTH).zip(nonce.as_ref()).for_each(|(to, from)| *to = *from);
        sealed.extend_from_slice(tag.as_ref());
        Ok(sealed)
    }

    /// The record in `sealed`, if it is what was sealed for `owner` under this key.
    pub(crate) fn open(&self, owner: &Owner, sealed: &[u8]) -> Result<Record, OpenError> {
        let form = sealed.get(..MAGIC.len()).ok_or(OpenError::Damaged)?;
        if form != MAGIC {
            return Err(OpenError::Foreign);
        }
        let version = *sealed.get(VERSION_AT).ok_or(OpenError::Damaged)?;
        if version != VERSION {
            return Err(OpenError::Version(version));
        }
        let (header, body) = sealed.split_first_chunk::<HEADER_LENGTH>().ok_or(OpenError::Damaged)?;
        if field(header, KEY_ID_AT) != self.key_id {
            return Err(OpenError::OtherKey);
        }
        let (nonce, body) = body.split_first_chunk::<NONCE_LEN>().ok_or(OpenError::Damaged)?;
        let mut contents = Zeroizing::new(body.to_vec());
        let aad = Aad::from(authenticated(header, owner));
        let opened = self.cipher.open_in_place(Nonce::assume_unique_for_key(*nonce), aad, &mut contents);
        let length = opened.map_err(|_| OpenError::Damaged)?.len();
        contents.truncate(length);
        let ends = i64::from_be_bytes(field(header, ENDS_AT));
        let ends = Timestamp::from_microsecond(ends).map_err(|_| OpenError::Damaged)?;
        Ok(Record { contents, fence: Fence(u64::from_be_bytes(field(header, FENCE_AT))), ends })
    }

    fn header(&self, record: &Record) -> [u8; HEADER_LENGTH] {
        let fence = record.fence.0.to_be_bytes();
        let ends = record.ends.as_microsecond().to_be_bytes();
        let parts = [MAGIC.as_slice(), &[VERSION], &self.key_id, &fence, &ends];
        let mut header = [0; HEADER_LENGTH];
        header.iter_mut().zip(parts.iter().copied().flatten()).for_each(|(to, from)| *to = *from);
        header
    }
}

impl fmt::Debug for Sealer {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Sealer([redacted])")
    }
}

/// Why a record could not be sealed.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Error)]
pub(crate) enum SealError {
    #[error("the ticket's record has {0} bytes, and more than {MAX_RECORD_SIZE} are not kept")]
    TooLong(usize),
    #[error("the cryptographic library failed to encrypt a ticket; report it")]
    Library,
}

/// It is one tenant's, and nothing is wrong with the store: so it is of the kind that lets the others go on.
impl From<SealError> for StoreError {
    fn from(error: SealError) -> Self {
        Self::new(StoreErrorKind::Unreadable, error.to_string())
    }
}

/// Why what is kept is not taken for a record.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Error)]
pub(crate) enum OpenError {
    #[error("it is not a record of soticket")]
    Foreign,
    #[error("another version of soticket wrote it, in form {0} where this one reads form {VERSION}")]
    Version(u8),
    #[error(
        "it was written with another key; give all who share the store the same one, and another folder or \
         database to each who does not"
    )]
    OtherKey,
    #[error("it is damaged: truncated, changed, or another record's")]
    Damaged,
}

impl OpenError {
    /// The same of the record at `place`.
    pub(crate) fn at(self, place: impl fmt::Display) -> StoreError {
        unreadable(place, self)
    }
}

/// An error for what is at `place` and is not to be trusted.
pub(crate) fn unreadable(place: impl fmt::Display, why: impl fmt::Display) -> StoreError {
    StoreError::new(StoreErrorKind::Unreadable, format!("what is kept at `{place}` is not taken: {why}"))
}

fn authenticated(header: &[u8; HEADER_LENGTH], owner: &Owner) -> [u8; HEADER_LENGTH + TicketKey::LENGTH] {
    let mut all = [0; HEADER_LENGTH + TicketKey::LENGTH];
    all.iter_mut().zip(header.iter().chain(owner)).for_each(|(to, from)| *to = *from);
    all
}

/// The eight bytes of the header from `at` on.
fn field(header: &[u8; HEADER_LENGTH], at: usize) -> [u8; 8] {
    let mut bytes = [0; 8];
    bytes.iter_mut().zip(header.iter().skip(at)).for_each(|(to, from)| *to = *from);
    bytes
}

const SEALING_PURPOSE: &[u8] = b"soticket store sealing key 1";
const KEY_ID_PURPOSE: &[u8] = b"soticket store key id 1";

pub(crate) const MAGIC: &[u8; 4] = b"SOTK";
pub(crate) const VERSION: u8 = 1;

// Where the parts begin, in bytes.
const VERSION_AT: usize = MAGIC.len();
const KEY_ID_AT: usize = VERSION_AT + 1;
const KEY_ID_LENGTH: usize = 8;
pub(crate) const FENCE_AT: usize = KEY_ID_AT + KEY_ID_LENGTH;
const ENDS_AT: usize = FENCE_AT + size_of::<u64>();
pub(crate) const HEADER_LENGTH: usize = ENDS_AT + size_of::<i64>();
const BODY_AT: usize = HEADER_LENGTH + NONCE_LEN;
const TAG_LENGTH: usize = 16;
const OVERHEAD: usize = BODY_AT + TAG_LENGTH;

#[cfg(test)]
mod tests;
