//! The keys that the suite signs with: throw-away, and known to everybody.

use std::fmt;

use soticket_core::PublicKey;

use crate::message::Message;

/// A key of the suite. Public, and good for tests only.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum TestKey {
    /// RSA with 1024 bits, as SuperOffice issued them years ago.
    Rsa1024,
    /// RSA with 2048 bits.
    Rsa2048,
    /// RSA with 3072 bits.
    Rsa3072,
    /// RSA with 4096 bits.
    Rsa4096,
    /// P-256.
    P256,
}

macro_rules! testdata {
    ($include:ident, $($name:expr),*) => { $include!(concat!("../testdata/", $($name),*)) };
}

/// The four signatures of a key.
macro_rules! signatures {
    ($key:literal, $message:expr) => {
        match $message {
            Message::Empty => testdata!(include_bytes, $key, ".0.signature"),
            Message::Short => testdata!(include_bytes, $key, ".11.signature"),
            Message::FourKilobytes => testdata!(include_bytes, $key, ".4096.signature"),
            Message::OneMegabyte => testdata!(include_bytes, $key, ".1048576.signature"),
        }
    };
}

impl TestKey {
    /// All of them.
    pub const ALL: [Self; 5] = [Self::Rsa1024, Self::Rsa2048, Self::Rsa3072, Self::Rsa4096, Self::P256];

    /// A short name, fit for a label.
    #[must_use]
    pub fn name(self) -> &'static str {
        match self {
            Self::Rsa1024 => "rsa1024",
            Self::Rsa2048 => "rsa2048",
            Self::Rsa3072 => "rsa3072",
            Self::Rsa4096 => "rsa4096",
            Self::P256 => "p256",
        }
    }

    /// The private key, as PKCS#8 in PEM.
    #[must_use]
    pub fn private_pem(self) -> &'static str {
        match self {
            Self::Rsa1024 => testdata!(include_str, "rsa1024.pem"),
            Self::Rsa2048 => testdata!(include_str, "rsa2048.pem"),
            Self::Rsa3072 => testdata!(include_str, "rsa3072.pem"),
            Self::Rsa4096 => testdata!(include_str, "rsa4096.pem"),
            Self::P256 => testdata!(include_str, "p256.pem"),
        }
    }

    /// The public key, as SubjectPublicKeyInfo in PEM.
    #[must_use]
    pub fn public_pem(self) -> &'static str {
        match self {
            Self::Rsa1024 => testdata!(include_str, "rsa1024.public.pem"),
            Self::Rsa2048 => testdata!(include_str, "rsa2048.public.pem"),
            Self::Rsa3072 => testdata!(include_str, "rsa3072.public.pem"),
            Self::Rsa4096 => testdata!(include_str, "rsa4096.public.pem"),
            Self::P256 => testdata!(include_str, "p256.public.pem"),
        }
    }

    /// The public key.
    ///
    /// # Panics
    /// Never, with the keys that are here.
    #[must_use]
    pub fn public_key(self) -> PublicKey {
        PublicKey::from_pem(self.public_pem()).unwrap()
    }

    /// OpenSSL's signature, for the algorithm that has only one for each message.
    pub(crate) fn openssls_signature(self, message: Message) -> Option<&'static [u8]> {
        Some(match self {
            Self::Rsa1024 => signatures!("rsa1024", message),
            Self::Rsa2048 => signatures!("rsa2048", message),
            Self::Rsa3072 => signatures!("rsa3072", message),
            Self::Rsa4096 => signatures!("rsa4096", message),
            Self::P256 => return None,
        })
    }
}

impl fmt::Display for TestKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.name())
    }
}
