//! `redline-mcp secret`: print what was handed over, to the person who sits at the terminal.

use std::io::{self, IsTerminal};
use std::path::PathBuf;
use std::process::ExitCode;

use clap::Args;

use super::{CliError, print};
use crate::config::Launch;
use crate::gateway::Clock;
use crate::policy::hand_over::{Handle, HandleError};
use crate::vault::{LIFETIME, Vault};

/// Printing a secret.
#[derive(Debug, Args)]
pub struct Secret {
    /// What the result showed in the secret's place: handle: and 26 characters
    #[arg(value_name = "HANDLE")]
    pub handle: String,
    /// Where the secret waits [default: vault in the state directory]
    #[arg(long, value_name = "DIR")]
    pub vault: Option<PathBuf>,
    /// Remove it once it is printed
    #[arg(long)]
    pub delete: bool,
}

impl Secret {
    /// Prints it, if stdout is a terminal: a file or another program is no place for a secret.
    ///
    /// # Errors
    /// A usage error for what isn't a handle, [`CliError::NoTerminal`] before anything is read, and
    /// [`CliError::Vault`] when there is no such secret or it can't be read.
    pub fn run(&self) -> Result<ExitCode, CliError> {
        let handle: Handle =
            self.handle.parse().map_err(|error: HandleError| CliError::Usage(error.to_string()))?;
        if !io::stdout().is_terminal() {
            return Err(CliError::NoTerminal);
        }
        let launch = Launch { vault: self.vault.clone(), ..Launch::default() };
        let vault = Vault::new(launch.vault_directory()?, LIFETIME);
        let now = Clock::wall();
        vault.purge(now)?;
        let redeemed = vault.read_for_owner(&handle, now)?;
        print(redeemed.about())?;
        print(&format!("kept until {:.0}", redeemed.expires()))?;
        let secret = redeemed.expose();
        if secret.contains(|character: char| character.is_control() && character != '\n') {
            print("it has control characters, which are written as escapes here")?;
        }
        print(secret)?;
        if self.delete {
            vault.remove(&handle)?;
        }
        Ok(ExitCode::SUCCESS)
    }
}
