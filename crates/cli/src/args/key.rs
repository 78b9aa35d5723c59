//! What may be said of keys.

use std::path::PathBuf;

use clap::{Args, Subcommand, ValueEnum};

use super::{Format, TokenArgs};

#[derive(Debug, Args)]
pub(crate) struct KeyArgs {
    #[command(subcommand)]
    pub(crate) command: KeyCommand,
}

#[derive(Debug, Subcommand)]
pub(crate) enum KeyCommand {
    /// List the tokens of a PKCS#11 module, and the private keys in one of them
    #[command(after_help = LIST_HELP)]
    List(ListArgs),
    /// Make a new key, in a file or in a token
    #[command(after_help = GENERATE_HELP)]
    Generate(GenerateArgs),
    /// Move a key file's key into a token, or into AWS KMS
    #[command(after_help = IMPORT_HELP)]
    Import(ImportArgs),
    /// Write a key file in another format
    #[command(after_help = CONVERT_HELP)]
    Convert(ConvertArgs),
    /// Say what a key is, without showing it
    #[command(after_help = INSPECT_HELP)]
    Inspect(InspectArgs),
}

#[derive(Debug, Args)]
pub(crate) struct ListArgs {
    /// The token, as `pkcs11:token=…?module-path=…`; with `pkcs11:?module-path=…` all tokens are listed
    /// [env: SOTICKET_SIGNER]
    #[arg(long, value_name = "URI")]
    pub(crate) signer: Option<String>,

    #[command(flatten)]
    pub(crate) token: TokenArgs,

    /// How to print the list
    #[arg(long, value_enum, default_value_t = Format::Text)]
    pub(crate) format: Format,
}

#[derive(Debug, Args)]
pub(crate) struct GenerateArgs {
    /// The kind of key: rsa2048, rsa3072, rsa4096 or p256; SuperOffice takes RSA only
    #[arg(long = "type", value_name = "TYPE", default_value = "rsa2048")]
    pub(crate) key_type: String,

    /// Make the key in this token, under the URI's `object` and `id`; it never leaves it
    #[arg(long, value_name = "URI", conflicts_with_all = ["out", "to", "encrypt"])]
    pub(crate) signer: Option<String>,

    /// The file to write, for its owner only; `-` is standard output
    #[arg(long, value_name = "FILE", required_unless_present = "signer")]
    pub(crate) out: Option<PathBuf>,

    /// The format of the file
    #[arg(long, value_enum, default_value_t = KeyFormat::Pkcs8)]
    pub(crate) to: KeyFormat,

    #[command(flatten)]
    pub(crate) file: NewFileArgs,

    #[command(flatten)]
    pub(crate) token: TokenArgs,
}

#[derive(Debug, Args)]
pub(crate) struct ImportArgs {
    /// The key file to read
    #[arg(long, value_name = "FILE")]
    pub(crate) from: PathBuf,

    /// The token and the new key's name in it, as `pkcs11:token=…;object=…?module-path=…`, or the new key's alias in AWS
    /// KMS, as `awskms:///alias/…?region=…` [env: SOTICKET_SIGNER]
    #[arg(long, value_name = "URI")]
    pub(crate) signer: Option<String>,

    /// The file that holds the passphrase of the key that is read [env: SOTICKET_KEY_PASSPHRASE holds the passphrase]
    #[arg(long, value_name = "FILE")]
    pub(crate) key_passphrase_file: Option<PathBuf>,

    #[command(flatten)]
    pub(crate) token: TokenArgs,
}

#[derive(Debug, Args)]
pub(crate) struct ConvertArgs {
    /// The key file to read
    #[arg(value_name = "FILE")]
    pub(crate) from: PathBuf,

    /// The file to write, for its owner only; `-` is standard output
    #[arg(long, value_name = "FILE")]
    pub(crate) out: PathBuf,

    /// The format to write
    #[arg(long, value_enum)]
    pub(crate) to: KeyFormat,

    /// The file that holds the passphrase of the key that is read [env: SOTICKET_KEY_PASSPHRASE holds the passphrase]
    #[arg(long, value_name = "FILE")]
    pub(crate) key_passphrase_file: Option<PathBuf>,

    #[command(flatten)]
    pub(crate) file: NewFileArgs,
}

/// How a private key is written.
#[derive(Debug, Args)]
pub(crate) struct NewFileArgs {
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

    #[command(flatten)]
    pub(crate) token: TokenArgs,

    /// The public half of the key or a certificate of it, for a PKCS#11 token that keeps none
    #[arg(long, value_name = "FILE")]
    pub(crate) signer_public_key: Option<PathBuf>,

    /// How to print what it is
    #[arg(long, value_enum, default_value_t = Format::Text)]
    pub(crate) format: Format,
}

const LIST_HELP: &str = "\
Example:
  soticket key list --signer 'pkcs11:token=lab?module-path=/usr/lib/softhsm/libsofthsm2.so'

The PIN comes from the URI's pin-source, --pkcs11-pin-file, SOTICKET_PKCS11_PIN or a prompt.";

const IMPORT_HELP: &str = "\
Examples:
  soticket key import --from partner.xml --signer \\
    'pkcs11:token=lab;object=partner?module-path=/usr/lib/softhsm/libsofthsm2.so'
  soticket key import --from partner.xml --signer 'awskms:///alias/partner?region=eu-central-1'

The key gets into a token sensitive and not extractable; into AWS KMS it travels wrapped under a key
of the service, which takes no RSA key under 2048 bits. It signs there once as a proof. The file is
left alone: destroy it when everything works.";

const GENERATE_HELP: &str = "\
Examples:
  soticket key generate --out partner.pem --public-out partner-public.pem
  soticket key generate --public-out partner-public.pem --signer \\
    'pkcs11:token=lab;object=partner?module-path=/usr/lib/softhsm/libsofthsm2.so'

SuperOffice issues partner keys itself; a key of your own serves tests, and partners who register
one.";

const CONVERT_HELP: &str = "\
Example:
  soticket key convert partner.xml --to pkcs8 --encrypt --out partner.pem

Reads PKCS#8, encrypted PKCS#8, PKCS#1 and SEC1 in PEM and DER, and RSAKeyValue in XML.";

const INSPECT_HELP: &str = "\
Examples:
  soticket key inspect partner.xml
  soticket key inspect 'pkcs11:token=lab;object=partner?module-path=/usr/lib/softhsm/libsofthsm2.so'
  soticket key inspect 'awskms:///alias/partner?region=eu-central-1'";
