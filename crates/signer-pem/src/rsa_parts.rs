//! The numbers of an RSA private key, checked against each other before anything is done with them.

use rsa::BoxedUint;
use rsa::traits::{PrivateKeyParts, PublicKeyParts};
use zeroize::Zeroizing;

use crate::error::{KeyError, KeyProblem};

/// The smallest RSA modulus that is accepted, in bits: SuperOffice's older partner keys have it.
pub const MIN_RSA_BITS: u32 = 1024;

/// The largest RSA modulus that is accepted, in bits.
pub const MAX_RSA_BITS: u32 = 4096;

/// The numbers as files hold them, big-endian; the optional ones are computed when they are missing.
pub(crate) struct RsaParts<'a> {
    pub(crate) modulus: &'a [u8],
    pub(crate) public_exponent: &'a [u8],
    pub(crate) private_exponent: &'a [u8],
    pub(crate) p: Option<&'a [u8]>,
    pub(crate) q: Option<&'a [u8]>,
    pub(crate) dp: Option<&'a [u8]>,
    pub(crate) dq: Option<&'a [u8]>,
    pub(crate) q_inverse: Option<&'a [u8]>,
}

impl RsaParts<'_> {
    /// The key, if all numbers that are given fit each other.
    pub(crate) fn into_key(self) -> Result<rsa::PrivateKey, KeyError> {
        let modulus = significant(self.modulus);
        check_size(modulus)?;
        let exponent = public_exponent(self.public_exponent)?;
        let precision = u32::try_from(modulus.len() * BITS_PER_BYTE).unwrap_or(u32::MAX);
        let number = |bytes: &[u8], what| private_number(bytes, precision, what);

        let d = number(self.private_exponent, "D is longer than the modulus")?;
        if d <= BoxedUint::one() {
            return Err(inconsistent("D is 0 or 1"));
        }
        let primes = match (self.p, self.q) {
            (Some(p), Some(q)) => {
                vec![number(p, "P is longer than the modulus")?, number(q, "Q is longer than the modulus")?]
            }
            _ if exponent <= MAX_EXPONENT_WITHOUT_RECOVERY => {
                return Err(inconsistent(
                    "P and Q are missing and cannot be computed for an exponent this small",
                ));
            }
            _ => Vec::new(),
        };
        let n = BoxedUint::from_be_slice(modulus, precision)
            .map_err(|_| inconsistent("the modulus is damaged"))?;
        let key = rsa::PrivateKey::from_components(n, BoxedUint::from(exponent), d, primes)
            .map_err(|cause| KeyError::with_source(KeyProblem::Inconsistent(THE_FOUR), cause))?;
        self.check_crt(&key)?;
        Ok(key)
    }

    /// Computed primes come in either order, and the order decides which CRT numbers are right.
    fn check_crt(&self, key: &rsa::PrivateKey) -> Result<(), KeyError> {
        let [p, q] = key.primes() else {
            return Err(inconsistent("there are not two primes"));
        };
        let (p, q): (&BoxedUint, &BoxedUint) = (p.as_ref(), q.as_ref());
        let both_given = self.p.is_some() && self.q.is_some();
        let fits = self.fits(key.d(), p, q)? || (!both_given && self.fits(key.d(), q, p)?);
        if fits { Ok(()) } else { Err(inconsistent("DP, DQ or InverseQ do not belong to P, Q and D")) }
    }

    fn fits(&self, d: &BoxedUint, p: &BoxedUint, q: &BoxedUint) -> Result<bool, KeyError> {
        let fits = |given: Option<&[u8]>, computed: BoxedUint| {
            let computed = Zeroizing::new(Zeroizing::new(computed).to_be_bytes());
            given.is_none_or(|given| significant(given) == significant(&computed))
        };
        Ok(fits(self.p, p.clone())
            && fits(self.q, q.clone())
            && fits(self.dp, crt_exponent(d, p)?)
            && fits(self.dq, crt_exponent(d, q)?)
            && fits(self.q_inverse, inverse(q, p)?))
    }
}

/// The size of a modulus in bits.
pub(crate) fn bits(key: &rsa::PrivateKey) -> u32 {
    key.n().bit_width()
}

/// `d mod (prime - 1)`.
pub(crate) fn crt_exponent(d: &BoxedUint, prime: &BoxedUint) -> Result<BoxedUint, KeyError> {
    let modulus = prime.wrapping_sub(BoxedUint::one()).into_nz().into_option();
    Ok(d.rem(&modulus.ok_or_else(|| inconsistent("P or Q is 1"))?))
}

/// `1/q mod p`.
pub(crate) fn inverse(q: &BoxedUint, p: &BoxedUint) -> Result<BoxedUint, KeyError> {
    let modulus = p.to_odd().into_option().ok_or_else(|| inconsistent("P is even"))?;
    q.invert_odd_mod(&modulus).into_option().ok_or_else(|| inconsistent("P and Q have a common factor"))
}

/// A number without its leading zeros.
pub(crate) fn significant(bytes: &[u8]) -> &[u8] {
    let zeros = bytes.iter().take_while(|byte| **byte == 0).count();
    bytes.get(zeros..).unwrap_or_default()
}

fn check_size(modulus: &[u8]) -> Result<(), KeyError> {
    let leading_zeros = modulus.first().map_or(0, |byte| byte.leading_zeros());
    let bits = u32::try_from(modulus.len() * BITS_PER_BYTE).unwrap_or(u32::MAX).saturating_sub(leading_zeros);
    if (MIN_RSA_BITS..=MAX_RSA_BITS).contains(&bits) {
        return Ok(());
    }
    Err(KeyProblem::Unsupported(format!("an RSA key of {bits} bits")).into())
}

fn public_exponent(bytes: &[u8]) -> Result<u64, KeyError> {
    let bytes = significant(bytes);
    if bytes.len() > size_of::<u64>() {
        return Err(inconsistent("the public exponent is too large"));
    }
    let exponent = bytes.iter().fold(0, |value: u64, byte| value << u8::BITS | u64::from(*byte));
    if exponent % 2 == 0 || !(MIN_EXPONENT..=MAX_EXPONENT).contains(&exponent) {
        return Err(inconsistent("the public exponent is not an odd number from 3 to 2^33"));
    }
    Ok(exponent)
}

fn private_number(bytes: &[u8], precision: u32, what: &'static str) -> Result<BoxedUint, KeyError> {
    BoxedUint::from_be_slice(significant(bytes), precision).map_err(|_| inconsistent(what))
}

fn inconsistent(what: &'static str) -> KeyError {
    KeyProblem::Inconsistent(what).into()
}

const BITS_PER_BYTE: usize = 8;
const MIN_EXPONENT: u64 = 3;
/// The limit of both cryptographic libraries.
const MAX_EXPONENT: u64 = (1 << 33) - 1;
/// The method of NIST SP 800-56B, appendix C.2, which the `rsa` crate has, needs more than this.
const MAX_EXPONENT_WITHOUT_RECOVERY: u64 = 1 << 16;
const THE_FOUR: &str = "the modulus, D, P and Q do not belong together";
