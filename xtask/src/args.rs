//! The commands: their names, arguments and help.

use std::ffi::OsString;

use lexopt::{Arg, Parser, ValueExt as _};

use crate::{bench::Selection, steps::OnFailure};

/// What was asked for on the command line.
#[derive(Debug, PartialEq, Eq)]
pub(crate) enum Request {
    /// Print this text.
    Help(String),
    Setup,
    Test {
        filter: Vec<String>,
    },
    SofthsmTest {
        filter: Vec<String>,
    },
    KmsTest {
        filter: Vec<String>,
    },
    Fuzz {
        seconds: u32,
    },
    Ci(OnFailure),
    Tidy,
    Demo,
    Bench(Selection),
}

/// A command as its help describes it.
struct CommandHelp {
    name: &'static str,
    usage: &'static str,
    summary: &'static str,
    details: &'static str,
}

impl Request {
    /// The request in this process's arguments.
    pub(crate) fn from_environment() -> Result<Self, lexopt::Error> {
        Self::parse(Parser::from_env())
    }

    fn parse(mut parser: Parser) -> Result<Self, lexopt::Error> {
        let name = match parser.next()? {
            None | Some(Arg::Short('h') | Arg::Long("help")) => return Ok(Self::Help(overview())),
            Some(Arg::Value(name)) => name.string()?,
            Some(other) => return Err(other.unexpected()),
        };
        if name == "help" {
            return Ok(Self::Help(match positional(&mut parser)? {
                Some(topic) => find(&topic)?.to_string(),
                None => overview(),
            }));
        }
        let help = find(&name)?;
        let words = Words::parse(&mut parser)?;
        if words.help { Ok(Self::Help(help.to_string())) } else { words.into_request(help.name) }
    }
}

/// What follows a command's name.
#[derive(Debug, Default)]
struct Words {
    help: bool,
    keep_going: bool,
    quick: bool,
    plain: Vec<String>,
}

impl Words {
    fn parse(parser: &mut Parser) -> Result<Self, lexopt::Error> {
        let mut words = Self::default();
        while let Some(arg) = parser.next()? {
            match arg {
                Arg::Short('h') | Arg::Long("help") => words.help = true,
                Arg::Long("keep-going") => words.keep_going = true,
                Arg::Long("quick") => words.quick = true,
                Arg::Value(word) => words.plain.push(word.string()?),
                Arg::Short(_) | Arg::Long(_) => return Err(arg.unexpected()),
            }
        }
        Ok(words)
    }

    fn into_request(self, command: &str) -> Result<Request, lexopt::Error> {
        refuse(self.keep_going && command != "ci", "--keep-going")?;
        refuse(self.quick && command != "bench", "--quick")?;
        if !matches!(command, "test" | "softhsm-test" | "kms-test" | "fuzz" | "bench")
            && let Some(word) = self.plain.first()
        {
            return Err(lexopt::Error::UnexpectedArgument(OsString::from(word)));
        }
        Ok(match command {
            "setup" => Request::Setup,
            "test" => Request::Test { filter: self.plain },
            "softhsm-test" => Request::SofthsmTest { filter: self.plain },
            "kms-test" => Request::KmsTest { filter: self.plain },
            "fuzz" => Request::Fuzz { seconds: seconds(&self.plain)? },
            "ci" => Request::Ci(if self.keep_going { OnFailure::KeepGoing } else { OnFailure::Stop }),
            "tidy" => Request::Tidy,
            "demo" => Request::Demo,
            _ if self.quick => Request::Bench(Selection::quick(self.plain)),
            _ => Request::Bench(Selection::all(self.plain)),
        })
    }
}

/// The one number among the words, if there is any.
fn seconds(words: &[String]) -> Result<u32, lexopt::Error> {
    match words {
        [] => Ok(FUZZ_SECONDS),
        [word] => word.parse().map_err(|_| lexopt::Error::UnexpectedValue {
            option: "<seconds>".to_owned(),
            value: OsString::from(word),
        }),
        [_, word, ..] => Err(lexopt::Error::UnexpectedArgument(OsString::from(word))),
    }
}

/// How long each target is fuzzed unless told otherwise.
const FUZZ_SECONDS: u32 = 60;

fn refuse(misplaced: bool, option: &str) -> Result<(), lexopt::Error> {
    if misplaced { Err(lexopt::Error::UnexpectedOption(option.to_owned())) } else { Ok(()) }
}

fn positional(parser: &mut Parser) -> Result<Option<String>, lexopt::Error> {
    match parser.next()? {
        Some(Arg::Value(word)) => Ok(Some(word.string()?)),
        Some(other) => Err(other.unexpected()),
        None => Ok(None),
    }
}

fn find(name: &str) -> Result<&'static CommandHelp, lexopt::Error> {
    COMMANDS
        .iter()
        .find(|command| command.name == name)
        .ok_or_else(|| lexopt::Error::Custom(format!("there is no command `{name}`").into()))
}

fn overview() -> String {
    let width = COMMANDS.iter().map(|command| command.name.len()).max().unwrap_or_default();
    let commands: String = COMMANDS.iter().map(|c| format!("  {:width$}  {}\n", c.name, c.summary)).collect();
    format!(
        "The chores of the project.\n\n\
         Usage: cargo xtask <command> [options]\n\n\
         Commands:\n{commands}\n\
         `cargo xtask <command> --help` says more about one of them.\n"
    )
}

impl std::fmt::Display for CommandHelp {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        writeln!(f, "{}\n\nUsage: cargo xtask {}\n\n{}", self.summary, self.usage, self.details)
    }
}

const COMMANDS: &[CommandHelp] = &[
    CommandHelp {
        name: "setup",
        usage: "setup",
        summary: "Install what the tests need beyond cargo, where it is missing",
        details: "\
Looks for each of these and installs, saying so, only what is missing:
  rustfmt and clippy           with rustup
  openssl, node, npm, ip, unshare; SoftHSM, OpenSC, p11-kit, NSS; libclang, pkg-config and the headers of
  OpenSSL and SQLite, which kryoptic is built with; a C++ compiler, which libFuzzer is built with
                               Debian packages, with apt-get (and sudo unless run as root)
  python3 with venv, which the stand-in for AWS KMS and zeep are installed with
                               a Debian package
  cargo-deny                   with cargo install, a pinned version or any later one
  the npm packages of tests/node
                               with npm ci, when missing or older than their lock file

Running it again costs well under a second. Where there is no apt-get, it names what to install and fails.",
    },
    CommandHelp {
        name: "test",
        usage: "test [<filter>…]",
        summary: "Run all tests and doctests",
        details: "\
Runs what `cargo xtask setup` would for the tests and builds kryoptic, then runs the tests of every package with all
features on, those marked `#[ignore]` and those of `cargo xtask softhsm-test` and `kms-test` too, then the doctests.
A filter runs only the tests whose names contain it.",
    },
    CommandHelp {
        name: "softhsm-test",
        usage: "softhsm-test [<filter>…]",
        summary: "Run the tests that need an HSM, against software tokens",
        details: "\
Runs what `cargo xtask setup` would for the tests, builds kryoptic (tests/kryoptic-module, a minute once) and the
command line, then runs the tests of `soticket-signer-pkcs11` and `soticket-pkcs11-testbed`, and those of
`soticket-tests` whose names contain `hsm`. A filter runs only the tests whose names contain it.

The tokens are made in a folder of their own under TMPDIR, which is removed at the end, after a failure or Ctrl-C too.
No token of yours is touched: SOFTHSM2_CONF and KRYOPTIC_CONF name configurations in there. SOTICKET_TEST_KRYOPTIC
tells the tests which module was built.",
    },
    CommandHelp {
        name: "kms-test",
        usage: "kms-test [<filter>…]",
        summary: "Run the tests that need AWS KMS, against a stand-in",
        details: "\
Runs what `cargo xtask setup` would for the tests, installs ministack with pip (a pinned version, each file by its
hash) into a virtual environment below cargo's target folder, and builds the command line; then runs the tests of
`soticket-signer-aws-kms`, and those of `soticket-tests` whose names contain `kms`. A filter runs only the tests whose
names contain it.

Two stand-ins run on free ports of loopback while the tests do, one that takes everybody for the account's owner and
one that looks at credentials and policies: SOTICKET_TEST_KMS and SOTICKET_TEST_KMS_AUTH tell the tests where. They
end with the tests, after a failure or Ctrl-C too. Settings of yours for AWS are hidden from the tests.

SOTICKET_TEST_AWS_KEY names a key in AWS, as an `awskms:` URI: a test signs with it then, with your settings for AWS.",
    },
    CommandHelp {
        name: "fuzz",
        usage: "fuzz [<seconds>]",
        summary: "Fuzz what reads foreign bytes, for a minute each",
        details: "\
Builds the fuzz targets in `fuzz` with the stable toolchain and a C++ compiler, below cargo's target folder, and runs
each for that many seconds (without: 60), beginning with the golden files and what earlier runs found worth keeping.
What fails is written there too; the program with that file as its argument repeats it. They are targets of
`cargo fuzz` as well.",
    },
    CommandHelp {
        name: "ci",
        usage: "ci [--keep-going]",
        summary: "Run every check that a change has to pass; CI runs this",
        details: "\
In this order: setup, format, tidy, licences and bans (cargo deny), clippy, each feature alone, kryoptic, build, tests
(with those of `cargo xtask softhsm-test` and `kms-test`), doctests, documentation, some seconds of `cargo xtask fuzz`;
warnings are errors. Prints how long each step took and the command that repeats a failed one.

Options:
  --keep-going  Run the steps after a failed one too (without: stop there)

With the environment variable CI set, nothing is built incrementally.",
    },
    CommandHelp {
        name: "tidy",
        usage: "tidy",
        summary: "Check the rules of the repository that compilers do not know",
        details: "\
Which crate may depend on which; what a package inherits from the workspace; which Rust version dependencies ask
for; banned dependencies; a `//!` at the top of every module; the length of files; where unsafe code may stand;
ignored tests without a reason; left-over markers and debug macros; paths of one machine; links between Markdown
files; white space.

Prints each finding as `path:line: what: cure`, all at once, and changes nothing.",
    },
    CommandHelp {
        name: "demo",
        usage: "demo",
        summary: "Show the whole flow on this machine",
        details: "\
The same as `cargo run -- demo`: a system user token becomes a validated ticket, and the ticket makes an API call,
against the emulator. Needs no network and no configuration.",
    },
    CommandHelp {
        name: "bench",
        usage: "bench [--quick] [<filter>…]",
        summary: "Run the benchmarks",
        details: "\
Runs the benchmarks of the package `soticket-tests`, then, with the command line built for release, the benchmark
`process`, which measures whole processes. A filter runs only the benchmarks whose names contain it.

Options:
  --quick  Leave the benchmark of whole processes out",
    },
];

#[cfg(test)]
mod tests {
    use super::*;

    fn parse(line: &str) -> Result<Request, String> {
        Request::parse(Parser::from_args(line.split_whitespace())).map_err(|error| error.to_string())
    }

    fn help(line: &str) -> String {
        match parse(line) {
            Ok(Request::Help(text)) => text,
            other => panic!("`{line}` gave {other:?}"),
        }
    }

    #[test]
    fn each_command_has_help_in_each_way_of_asking() {
        for command in COMMANDS {
            let name = command.name;
            assert_eq!(help(&format!("{name} --help")), command.to_string());
            assert_eq!(help(&format!("{name} -h")), command.to_string());
            assert_eq!(help(&format!("help {name}")), command.to_string());
            assert!(help("").contains(command.summary), "{name} is missing from the overview");
        }
        assert_eq!(help("--help"), help("help"));
    }

    #[test]
    fn help_fits_a_terminal() {
        let lines = COMMANDS.iter().map(ToString::to_string).chain([overview()]).collect::<String>();
        assert_eq!(lines.lines().find(|line| line.chars().count() > 120), None);
    }

    #[test]
    fn every_command_of_the_help_is_understood() {
        for command in COMMANDS {
            assert!(!matches!(parse(command.name), Ok(Request::Help(_)) | Err(_)), "{}", command.name);
        }
    }

    #[test]
    fn options_belong_to_their_command() {
        assert_eq!(parse("ci --keep-going"), Ok(Request::Ci(OnFailure::KeepGoing)));
        assert_eq!(parse("softhsm-test login"), Ok(Request::SofthsmTest { filter: vec!["login".into()] }));
        assert_eq!(parse("fuzz"), Ok(Request::Fuzz { seconds: FUZZ_SECONDS }));
        assert_eq!(parse("fuzz 5"), Ok(Request::Fuzz { seconds: 5 }));
        assert!(parse("fuzz soon").is_err() && parse("fuzz 5 6").is_err());
        assert_eq!(parse("kms-test alias"), Ok(Request::KmsTest { filter: vec!["alias".into()] }));
        assert_eq!(parse("ci"), Ok(Request::Ci(OnFailure::Stop)));
        assert_eq!(parse("bench --quick sign"), Ok(Request::Bench(Selection::quick(vec!["sign".into()]))));
        assert!(parse("test --keep-going").unwrap_err().contains("--keep-going"));
        assert!(parse("ci --quick").unwrap_err().contains("--quick"));
    }

    #[test]
    fn what_is_not_understood_is_named() {
        assert!(parse("deploy").unwrap_err().contains("deploy"));
        assert!(parse("tidy now").unwrap_err().contains("now"));
        assert!(parse("--loud").unwrap_err().contains("--loud"));
    }
}
