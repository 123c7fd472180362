//! Programs that run alongside a command and end with it.

use std::io::{BufRead as _, BufReader, Write as _};
use std::path::Path;
use std::process::{Child, ChildStdout, Command, Stdio};
use std::sync::atomic::{AtomicBool, Ordering};
use std::thread;
use std::time::Duration;

use anyhow::{Context as _, Result};

/// A child process, killed on drop.
///
/// A killed command drops nothing. So `gateway-host` gets a pipe as its standard input and ends when
/// that is closed, which the system does even then.
pub(crate) struct Running(Child);

impl Running {
    /// Starts the `gateway-host` at `program`, and waits for the line that reports it is ready.
    pub(crate) fn host(program: &Path, arguments: &[&str]) -> Result<(Self, Ready)> {
        let mut child = Command::new(program)
            .current_dir(crate::cargo::root())
            .arg("--until-stdin-ends")
            .args(arguments)
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .spawn()
            .with_context(|| format!("cannot run {}", program.display()))?;
        let output = child.stdout.take().context("gateway-host has no output")?;
        let running = Self(child);
        Ok((running, Ready::read(output)?))
    }

    /// Starts another program, which shares the terminal.
    pub(crate) fn program(command: &mut Command) -> Result<Self> {
        let name = command.get_program().to_string_lossy().into_owned();
        Ok(Self(command.spawn().with_context(|| format!("cannot run {name}"))?))
    }

    /// Checks whether the program has ended by itself.
    pub(crate) fn has_ended(&mut self) -> Result<bool> {
        Ok(self.0.try_wait()?.is_some())
    }

    /// Waits until the program ends or `signalled` is set.
    pub(crate) fn wait_unless(mut self, signalled: &AtomicBool) -> Result<()> {
        while !self.has_ended()? && !signalled.load(Ordering::Relaxed) {
            thread::sleep(Duration::from_millis(50));
        }
        Ok(())
    }
}

impl Drop for Running {
    fn drop(&mut self) {
        // Fails if the program has already ended, which is fine.
        let _ = self.0.kill();
        let _ = self.0.wait();
    }
}

/// The output of a `gateway-host` that is ready: the URL it serves, then its log.
pub(crate) struct Ready {
    /// The URL it serves.
    pub(crate) url: String,
    log: BufReader<ChildStdout>,
}

impl Ready {
    /// Reads the first line, whose second word is the URL.
    fn read(output: ChildStdout) -> Result<Self> {
        let mut log = BufReader::new(output);
        let mut line = String::new();
        log.read_line(&mut line)?;
        let url = line.split(' ').nth(1).context("gateway-host did not start")?.trim().to_owned();
        Ok(Self { url, log })
    }

    /// Copies the log to standard output from now on.
    pub(crate) fn show_log(self) {
        thread::spawn(move || {
            let mut stdout = std::io::stdout();
            for line in self.log.lines().map_while(Result::ok) {
                let _ = writeln!(stdout, "{line}");
            }
        });
    }

    /// Reads and drops the log: a full pipe would block the program.
    pub(crate) fn hide_log(self) {
        thread::spawn(move || self.log.lines().map_while(Result::ok).for_each(drop));
    }
}
