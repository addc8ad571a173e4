//! The flags of the approval page, and whether this machine can show one.

use std::path::{Path, PathBuf};
use std::time::Duration;

use clap::builder::PossibleValue;
use clap::{Args, ValueEnum};

use super::ConfigError;
use crate::cloud::credentials::{ACCESS_KEY_ID, ACCESS_KEY_SECRET, API_KEY, SECURITY_TOKEN};
use crate::cloud::transport::http::Seconds;
use crate::server::approval::{Browser, Settings};

/// How long a call waits for the page when no flag says it. Some clients give up on a call after a minute.
const WAIT: Duration = Duration::from_secs(45);
/// What the browser is started without.
const WITHHELD: &[&str] = &[ACCESS_KEY_ID, ACCESS_KEY_SECRET, SECURITY_TOKEN, API_KEY];

/// Whether a human is asked in their browser.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum ApprovalPage {
    /// Where the client can't ask and this machine can show a page.
    #[default]
    Auto,
    /// Not at all.
    Never,
}

impl ValueEnum for ApprovalPage {
    fn value_variants<'v>() -> &'v [Self] {
        &[Self::Auto, Self::Never]
    }

    fn to_possible_value(&self) -> Option<PossibleValue> {
        Some(match self {
            Self::Auto => PossibleValue::new("auto")
                .help("Where the client can't ask, and there are a display and a browser"),
            Self::Never => PossibleValue::new("never").help("Refuse what the client can't ask for"),
        })
    }
}

/// The flags of a server that may ask in a browser.
#[derive(Debug, Clone, Default, Args)]
#[command(next_help_heading = "Approval page")]
pub struct ApprovalFlags {
    /// Whether a human is asked in their browser
    #[arg(long, value_enum, default_value_t)]
    pub approval_page: ApprovalPage,
    /// The program that opens the page, given its address [default: xdg-open, or the platform's own]
    #[arg(long, value_name = "COMMAND")]
    pub browser: Option<PathBuf>,
    /// Seconds that a call waits for an answer on the page before it is to be made again [default: 45]
    #[arg(long, value_name = "SECONDS")]
    pub approval_wait: Option<Seconds>,
}

impl ApprovalFlags {
    /// How a human is asked in their browser; `None` where they aren't.
    ///
    /// # Errors
    /// [`ConfigError::NoBrowser`] when the program that was named isn't there.
    pub fn settings(&self) -> Result<Option<Settings>, ConfigError> {
        let browser = match (self.approval_page, &self.browser) {
            (ApprovalPage::Never, _) => None,
            (ApprovalPage::Auto, Some(command)) => {
                let program = find(command).ok_or_else(|| ConfigError::NoBrowser(command.clone()))?;
                Some(Browser::new(program, &[], WITHHELD))
            }
            (ApprovalPage::Auto, None) => platform_browser(),
        };
        let wait = self.approval_wait.map_or(WAIT, Seconds::duration);
        Ok(browser.map(|browser| Settings { browser, wait }))
    }
}

/// The platform's own way to open an address, where somebody can see it.
fn platform_browser() -> Option<Browser> {
    let (program, arguments): (_, &[&str]) = if cfg!(windows) {
        (PathBuf::from("rundll32.exe"), &["url.dll,FileProtocolHandler"])
    } else if cfg!(target_os = "macos") {
        (PathBuf::from("/usr/bin/open"), &[])
    } else {
        let has_display = |name| super::environment(name).is_some_and(|value| !value.is_empty());
        ["WAYLAND_DISPLAY", "DISPLAY"].into_iter().find(|name| has_display(name))?;
        (find(Path::new("xdg-open"))?, &[])
    };
    Some(Browser::new(program, arguments, WITHHELD))
}

/// The file of a program: where its path leads, or, if it is only a name, where the search path has it.
fn find(program: &Path) -> Option<PathBuf> {
    if program.components().count() > 1 {
        return program.is_file().then(|| program.to_path_buf());
    }
    super::search_path().into_iter().map(|directory| directory.join(program)).find(|file| file.is_file())
}
