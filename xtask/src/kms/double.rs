//! A stand-in as a process: started on a free port of loopback, waited for, and stopped.

use std::{
    env,
    fs::{self, File},
    io::{self, Read as _, Write as _},
    net::{Ipv4Addr, SocketAddr, TcpListener, TcpStream},
    path::{Path, PathBuf},
    process::{Child, Command, Stdio},
    thread,
    time::Duration,
};

use crate::error::Error;

/// Starts it, and ends it with whoever holds the other end of its standard input: nothing is left when this process is
/// killed.
const STARTER: &str = "\
import os, sys, threading
def end_with_input():
    sys.stdin.buffer.read()
    os._exit(0)
threading.Thread(target=end_with_input, daemon=True).start()
from ministack.app import main
sys.argv = ['ministack']
sys.exit(main())
";

/// Whether it looks at credentials and policies.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Authorisation {
    Ignored,
    Checked,
}

#[derive(Debug)]
pub(super) struct Double {
    process: Child,
    address: SocketAddr,
}

impl Double {
    /// Starts one, with its files in a folder of its own in `scratch`.
    pub(super) fn start(python: &Path, scratch: &Path, authorisation: Authorisation) -> Result<Self, Error> {
        let start = |attempt| {
            let folder = scratch.join(format!("{authorisation:?}-{attempt}").to_lowercase());
            Self::try_start(python, &folder, authorisation)
        };
        // Somebody may have taken the port meanwhile.
        (1..ATTEMPTS).fold(start(0), |outcome, attempt| outcome.or_else(|_| start(attempt)))
    }

    pub(super) fn url(&self) -> String {
        format!("http://{}", self.address)
    }

    fn try_start(python: &Path, folder: &Path, authorisation: Authorisation) -> Result<Self, Error> {
        let log = folder.join("log.txt");
        let failed = |cause| Error::NoDouble { cause, log: tail(&log) };
        let address = free_address().map_err(failed)?;
        fs::create_dir_all(folder).map_err(failed)?;
        let output = File::create(&log).map_err(failed)?;
        let mut command = Command::new(python);
        command.args(["-c", STARTER]).current_dir(folder).stdin(Stdio::piped());
        command.stdout(output.try_clone().map_err(failed)?).stderr(output);
        // Nothing of the user's: it is somebody else's program.
        command
            .env_clear()
            .env("PATH", env::var_os("PATH").unwrap_or_default())
            .env("HOME", folder)
            .env("TMPDIR", folder)
            .env("BIND_HOST", address.ip().to_string())
            .env("GATEWAY_PORT", address.port().to_string())
            .env("SERVICES", "kms,sts,iam")
            .env("MINISTACK_REGION", "eu-central-1")
            // Both listen on every address unless told otherwise.
            .env("IOT_MTLS_ENABLED", "0")
            .env("SFTP_ENABLED", "0")
            .env("AUTH", if authorisation == Authorisation::Checked { "true" } else { "false" });
        let mut double = Self { process: command.spawn().map_err(failed)?, address };
        double.wait_until_ready().map_err(failed)?;
        Ok(double)
    }

    fn wait_until_ready(&mut self) -> io::Result<()> {
        for _ in 0..LOOKS {
            if let Some(status) = self.process.try_wait()? {
                return Err(io::Error::other(format!("it ended at once ({status})")));
            }
            if self.is_ready() {
                return Ok(());
            }
            pause();
        }
        Err(io::Error::other("it did not get ready"))
    }

    fn is_ready(&self) -> bool {
        let answer = || -> io::Result<String> {
            let mut stream = TcpStream::connect_timeout(&self.address, PATIENCE)?;
            stream.set_read_timeout(Some(PATIENCE))?;
            let host = self.address;
            write!(stream, "GET /_ministack/health HTTP/1.1\r\nhost: {host}\r\nconnection: close\r\n\r\n")?;
            let mut answer = String::new();
            stream.read_to_string(&mut answer)?;
            Ok(answer)
        };
        answer().is_ok_and(|answer| answer.starts_with("HTTP/1.1 200") && answer.contains("kms"))
    }
}

impl Drop for Double {
    fn drop(&mut self) {
        // It may have ended by itself; then there is nothing to stop.
        let _ = self.process.kill();
        let _ = self.process.wait();
    }
}

#[expect(clippy::disallowed_methods, reason = "a process is waited for in real time")]
fn pause() {
    thread::sleep(PAUSE);
}

fn free_address() -> io::Result<SocketAddr> {
    TcpListener::bind((Ipv4Addr::LOCALHOST, 0))?.local_addr()
}

/// The end of what it said.
fn tail(log: &PathBuf) -> String {
    let text = fs::read_to_string(log).unwrap_or_default();
    let lines: Vec<_> = text.lines().collect();
    lines[lines.len().saturating_sub(TAIL_LINES)..].join("\n")
}

/// How often a start is tried, each time on another port.
const ATTEMPTS: usize = 3;
/// How long to wait for it: a minute, on a machine that is busy.
const LOOKS: usize = 1200;
const PAUSE: Duration = Duration::from_millis(50);
/// How long one question may take.
const PATIENCE: Duration = Duration::from_secs(5);
/// How much of its log is shown when it does not start.
const TAIL_LINES: usize = 15;

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_does_not_start_is_told_with_its_log() {
        let folder = tempfile::tempdir().unwrap();
        let python = folder.path().join("python");
        fs::write(&python, "#!/bin/sh\necho no such module >&2\nexit 3\n").unwrap();
        let mut permissions = fs::metadata(&python).unwrap().permissions();
        std::os::unix::fs::PermissionsExt::set_mode(&mut permissions, 0o755);
        fs::set_permissions(&python, permissions).unwrap();
        let error = Double::start(&python, folder.path(), Authorisation::Checked).unwrap_err();
        let told = error.with_causes();
        assert!(told.contains("no such module") && told.contains("exit status: 3"), "{told}");
    }
}
