//! What may be said of keys.

use std::path::PathBuf;

use clap::{Args, Subcommand, ValueEnum};

use super::Format;

#[derive(Debug, Args)]
pub(crate) struct KeyArgs {
    #[command(subcommand)]
    pub(crate) command: KeyCommand,
}

#[derive(Debug, Subcommand)]
pub(crate) enum KeyCommand {
    /// Make a new key
    #[command(after_help = GENERATE_HELP)]
    Generate(GenerateArgs),
    /// Write a key file in another format
    #[command(after_help = CONVERT_HELP)]
    Convert(ConvertArgs),
    /// Say what a key is, without showing it
    #[command(after_help = INSPECT_HELP)]
    Inspect(InspectArgs),
}

#[derive(Debug, Args)]
pub(crate) struct GenerateArgs {
    /// The kind of key: rsa2048, rsa3072, rsa4096 or p256; SuperOffice takes RSA only
    #[arg(long = "type", value_name = "TYPE", default_value = "rsa2048")]
    pub(crate) key_type: String,

    /// The format of the file
    #[arg(long, value_enum, default_value_t = KeyFormat::Pkcs8)]
    pub(crate) to: KeyFormat,

    #[command(flatten)]
    pub(crate) file: NewFileArgs,
}

#[derive(Debug, Args)]
pub(crate) struct ConvertArgs {
    /// The key file to read
    #[arg(value_name = "FILE")]
    pub(crate) from: PathBuf,

    /// The format to write
    #[arg(long, value_enum)]
    pub(crate) to: KeyFormat,

    /// The file that holds the passphrase of the key that is read [env: SOTICKET_KEY_PASSPHRASE holds the passphrase]
    #[arg(long, value_name = "FILE")]
    pub(crate) key_passphrase_file: Option<PathBuf>,

    #[command(flatten)]
    pub(crate) file: NewFileArgs,
}

/// Where a private key is written, and how it is protected there.
#[derive(Debug, Args)]
pub(crate) struct NewFileArgs {
    /// The file to write, for its owner only; `-` is standard output
    #[arg(long, value_name = "FILE")]
    pub(crate) out: PathBuf,

    /// Write the public half too, as PEM
    #[arg(long, value_name = "FILE")]
    pub(crate) public_out: Option<PathBuf>,

    /// Replace files that exist
    #[arg(long)]
    pub(crate) force: bool,

    /// Encrypt the key (PKCS#8 only) with a passphrase from --new-key-passphrase-file,
    /// SOTICKET_NEW_KEY_PASSPHRASE or a prompt
    #[arg(long)]
    pub(crate) encrypt: bool,

    /// The file that holds the passphrase to encrypt with; `-` is standard input
    #[arg(long, value_name = "FILE", requires = "encrypt")]
    pub(crate) new_key_passphrase_file: Option<PathBuf>,
}

/// The formats that a key can be written in.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub(crate) enum KeyFormat {
    /// PKCS#8 in PEM, which nearly everything reads
    Pkcs8,
    /// PKCS#8 in DER
    Pkcs8Der,
    /// PKCS#1 in PEM (RSA)
    Pkcs1,
    /// PKCS#1 in DER (RSA)
    Pkcs1Der,
    /// SEC1 in PEM (P-256)
    Sec1,
    /// SEC1 in DER (P-256)
    Sec1Der,
    /// RSAKeyValue in XML, as SuperOffice hands keys out (RSA)
    Xml,
}

#[derive(Debug, Args)]
pub(crate) struct InspectArgs {
    /// A key file, or a signer URI
    #[arg(value_name = "KEY")]
    pub(crate) key: String,

    /// Print the public half as PEM, and nothing else
    #[arg(long)]
    pub(crate) public: bool,

    /// The file that holds an encrypted key's passphrase [env: SOTICKET_KEY_PASSPHRASE holds the passphrase]
    #[arg(long, value_name = "FILE")]
    pub(crate) key_passphrase_file: Option<PathBuf>,

    /// How to print what it is
    #[arg(long, value_enum, default_value_t = Format::Text)]
    pub(crate) format: Format,
}

const GENERATE_HELP: &str = "\
Example:
  soticket key generate --out partner.pem --public-out partner-public.pem

SuperOffice issues partner keys itself; a key of your own serves tests, and partners who register
one.";

const CONVERT_HELP: &str = "\
Example:
  soticket key convert partner.xml --to pkcs8 --encrypt --out partner.pem

Reads PKCS#8, encrypted PKCS#8, PKCS#1 and SEC1 in PEM and DER, and RSAKeyValue in XML.";

const INSPECT_HELP: &str = "\
Example:
  soticket key inspect partner.xml";
