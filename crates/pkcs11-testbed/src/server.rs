//! p11-kit's server: a token in another process, which can die, hang and come back.

use std::fs;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::sync::Mutex;
use std::time::Duration;

use crate::device::Device;

/// SoftHSM, served by `p11-kit server` on a socket in the test's folder.
#[derive(Debug)]
pub struct Server {
    folder: PathBuf,
    process: Mutex<Child>,
}

impl Server {
    pub(crate) fn start(folder: &Path) -> Self {
        Self { folder: folder.to_owned(), process: Mutex::new(spawn(folder)) }
    }

    /// Kills it, and what serves its connections.
    pub fn kill(&self) {
        let mut process = self.process.lock().unwrap();
        signal_all("KILL", process.id());
        process.wait().unwrap();
        let _ = fs::remove_file(self.folder.join(SOCKET));
    }

    /// Stops what serves the connections that there are: calls hang.
    pub fn stop(&self) {
        signal_all("STOP", self.process.lock().unwrap().id());
    }

    /// Lets it go on.
    pub fn resume(&self) {
        signal_all("CONT", self.process.lock().unwrap().id());
    }

    /// Starts it again, after it was killed.
    pub fn restart(&self) {
        *self.process.lock().unwrap() = spawn(&self.folder);
    }
}

impl Drop for Server {
    fn drop(&mut self) {
        self.kill();
    }
}

fn spawn(folder: &Path) -> Child {
    let socket = folder.join(SOCKET);
    let module = Device::SoftHsm.module();
    let mut command = Command::new("p11-kit");
    command.args(["server", "--foreground", "--provider"]).arg(module).arg("--name").arg(&socket);
    command.arg("pkcs11:token=lab").stdout(Stdio::null());
    let mut process =
        command.spawn().expect("p11-kit is missing: run `cargo xtask softhsm-test`, which installs it");
    for _ in 0..WAITS {
        if socket.exists() {
            return process;
        }
        pause();
    }
    process.kill().unwrap();
    process.wait().unwrap();
    panic!("p11-kit's server does not listen on {}", socket.display());
}

/// The server itself and its children, one a connection.
fn signal_all(signal: &str, process: u32) {
    let children = fs::read_to_string(format!("/proc/{process}/task/{process}/children")).unwrap_or_default();
    let _ = Command::new("sh").args(["-c", &format!("kill -{signal} {process} {children}")]).output();
}

#[expect(clippy::disallowed_methods, reason = "a process is waited for in real time")]
fn pause() {
    std::thread::sleep(Duration::from_millis(10));
}

const SOCKET: &str = "socket";
const WAITS: u32 = 500;
