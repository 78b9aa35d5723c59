//! What may be said of a PKCS#11 token beside its URI.

use std::path::PathBuf;

use clap::Args;

/// How to log in to a token.
#[derive(Debug, Clone, Default, Args)]
pub(crate) struct TokenArgs {
    /// The file that holds the PKCS#11 token's PIN; `-` is standard input [env: SOTICKET_PKCS11_PIN holds the PIN]
    #[arg(long, value_name = "FILE")]
    pub(crate) pkcs11_pin_file: Option<PathBuf>,

    /// Try the PIN though the token says that one more wrong one locks it
    #[arg(long)]
    pub(crate) pkcs11_force_pin: bool,
}
