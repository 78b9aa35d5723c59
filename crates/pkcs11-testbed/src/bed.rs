//! A throw-away token, as a test sees it: how to open it, and tools that change it from outside.

use std::ffi::OsString;
use std::fs;
use std::path::{Path, PathBuf};

use crate::device::Device;
use crate::faults::Faults;
use crate::server::Server;
use crate::tools::run;

/// A throw-away token of one test.
#[derive(Debug)]
pub struct Bed {
    device: Device,
    folder: PathBuf,
    module: PathBuf,
    server: Option<Server>,
}

impl Bed {
    /// The token that this process was started for.
    pub(crate) fn from_environment() -> Self {
        let folder = PathBuf::from(std::env::var_os(FOLDER_VARIABLE).unwrap());
        let device = Device::from_name(&std::env::var(DEVICE_VARIABLE).unwrap());
        let is_faulty = std::env::var_os("P11FAULT_MODULE").is_some();
        let module = if is_faulty { faulty_module() } else { device.module() };
        let server = (device == Device::P11Kit).then(|| Server::start(&folder));
        Self { device, folder, module, server }
    }

    /// A folder that is gone after the test.
    #[must_use]
    pub fn folder(&self) -> &Path {
        &self.folder
    }

    /// The module that the test opens.
    #[must_use]
    pub fn module(&self) -> &Path {
        &self.module
    }

    /// The token's label.
    #[must_use]
    pub fn token_label(&self) -> &'static str {
        self.device.token_label()
    }

    /// The user's PIN.
    #[must_use]
    pub fn pin(&self) -> &'static str {
        self.device.pin()
    }

    /// A PKCS#11 URI for the token, with these path attributes for the key.
    #[must_use]
    pub fn uri(&self, object: &str) -> String {
        let label = self.token_label().replace(' ', "%20");
        let arguments = self.initialize_arguments();
        let arguments = arguments
            .map(|text| format!("&x-initialize-arguments={}", text.replace(' ', "%20").replace('\'', "%27")));
        let (module, arguments) = (self.module.display(), arguments.unwrap_or_default());
        format!("pkcs11:token={label};{object}?module-path={module}{arguments}").replace(";?", "?")
    }

    /// What the module has to be started with.
    #[must_use]
    pub fn initialize_arguments(&self) -> Option<String> {
        let database = self.folder.join("db");
        (self.device == Device::Nss).then(|| {
            format!(
                "configdir='sql:{}' certPrefix='' keyPrefix='' secmod='secmod.db' flags=",
                database.display()
            )
        })
    }

    /// The faults, for a device behind the module that fails on demand.
    #[must_use]
    pub fn faults(&self) -> Faults {
        Faults::new(&self.folder)
    }

    /// The process that the token is in, for a device behind p11-kit.
    ///
    /// # Panics
    /// For other devices.
    #[must_use]
    pub fn server(&self) -> &Server {
        self.server.as_ref().expect("this device has no server")
    }

    /// Makes an RSA key, sensitive and not extractable.
    pub fn generate_rsa(&self, id: &str, label: &str, bits: u32) {
        self.generate(id, label, &format!("rsa:{bits}"), &["--sensitive"]);
    }

    /// Makes a P-256 key.
    pub fn generate_p256(&self, id: &str, label: &str) {
        self.generate(id, label, "EC:prime256v1", &["--sensitive"]);
    }

    /// Makes a key of pkcs11-tool's type `key_type`, with more of its flags.
    pub fn generate(&self, id: &str, label: &str, key_type: &str, flags: &[&str]) {
        let key = ["--keypairgen", "--key-type", key_type, "--id", id, "--label", label];
        self.tool(key.into_iter().chain(flags.iter().copied()));
    }

    /// Copies a PKCS#8 key in PEM into the token, with its public half.
    pub fn import(&self, id: &str, label: &str, pem: &str) {
        let file = |name: &str| self.folder.join(name).to_str().unwrap().to_owned();
        let (from, private, public) = (file("import.pem"), file("import.der"), file("import-public.der"));
        fs::write(&from, pem).unwrap();
        run("openssl", ["pkey", "-in", &from, "-outform", "DER", "-out", &private], &[]);
        run("openssl", ["pkey", "-in", &from, "-pubout", "-outform", "DER", "-out", &public], &[]);
        let name = ["--id", id, "--label", label];
        let write = ["--write-object", &private, "--type", "privkey", "--usage-sign", "--sensitive"];
        self.tool(write.into_iter().chain(name));
        self.tool(["--write-object", &public, "--type", "pubkey"].into_iter().chain(name));
    }

    /// Writes a certificate in DER into the token.
    pub fn write_certificate(&self, id: &str, der: &Path) {
        self.tool(["--write-object", der.to_str().unwrap(), "--type", "cert", "--id", id]);
    }

    /// Deletes a private key and its public half.
    pub fn delete(&self, id: &str) {
        self.tool(["--delete-object", "--type", "privkey", "--id", id]);
        self.delete_public(id);
    }

    /// Deletes a public key object.
    pub fn delete_public(&self, id: &str) {
        self.tool(["--delete-object", "--type", "pubkey", "--id", id]);
    }

    /// Gives the user another PIN.
    pub fn change_pin(&self, pin: &str) {
        self.tool(["--change-pin", "--new-pin", pin]);
    }

    /// The public key with this id, as OpenSSL writes it in PEM.
    #[must_use]
    pub fn public_key_pem(&self, id: &str) -> String {
        let der = self.folder.join("read-public.der").to_str().unwrap().to_owned();
        self.tool(["--read-object", "--type", "pubkey", "--id", id, "--output-file", &der]);
        let pem = run("openssl", ["pkey", "-pubin", "-inform", "DER", "-in", &der], &[]);
        String::from_utf8(pem).unwrap()
    }

    /// Runs pkcs11-tool on the real token, logged in, in a process of its own.
    pub fn tool<'a>(&self, arguments: impl IntoIterator<Item = &'a str>) {
        let (module, environment) = self.tool_module();
        let token = ["--token-label", self.token_label(), "--login", "--pin", self.pin()];
        let token = token.into_iter().chain(arguments).map(OsString::from);
        let module = [OsString::from("--module"), module.into()];
        run("pkcs11-tool", module.into_iter().chain(token), &environment);
    }

    /// The module as pkcs11-tool can use it, which has no way to give NSS its argument, and needs no p11-kit.
    fn tool_module(&self) -> (PathBuf, Vec<(String, OsString)>) {
        let nothing = |name: &str| (name.to_owned(), OsString::from("/dev/null"));
        match self.device {
            Device::Nss => {
                let environment = vec![
                    ("P11FAULT_MODULE".to_owned(), self.device.module().into()),
                    ("P11FAULT_RESERVED".to_owned(), self.initialize_arguments().unwrap().into()),
                    nothing("P11FAULT_LOG"),
                    nothing("P11FAULT_CTL"),
                ];
                (faulty_module(), environment)
            }
            Device::P11Kit => (Device::SoftHsm.module(), Vec::new()),
            device => (device.module(), Vec::new()),
        }
    }
}

/// The module that fails on demand, which cargo builds beside the tests.
///
/// # Panics
/// When it is not there.
#[must_use]
pub fn faulty_module() -> PathBuf {
    let program = std::env::current_exe().unwrap();
    let name =
        format!("{}soticket_pkcs11_testbed{}", std::env::consts::DLL_PREFIX, std::env::consts::DLL_SUFFIX);
    let mut folders = program.ancestors().skip(1).take(2);
    folders
        .find_map(|folder| Some(folder.join(&name)).filter(|path| path.is_file()))
        .unwrap_or_else(|| panic!("{name} was not built beside {}", program.display()))
}

pub(crate) const FOLDER_VARIABLE: &str = "SOTICKET_TESTBED_FOLDER";
pub(crate) const DEVICE_VARIABLE: &str = "SOTICKET_TESTBED_DEVICE";
