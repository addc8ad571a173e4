//! The flags that were given, as a client would give them again.

use std::path;

use clap::error::Error;
use clap::parser::ValueSource;
use clap::{Arg, ArgMatches, Args, Command, FromArgMatches, Id};

use crate::cli::serve::Serve;

/// What a flag calls its value where that is a path, which a client started elsewhere needs whole.
const PATHS: [&str; 2] = ["FILE", "DIR"];

/// The flags of `serve`, read and as they were written.
#[derive(Debug)]
pub struct Relaunch {
    /// What they say.
    pub serve: Serve,
    /// The same flags again, with paths made whole; `None` where one isn't text.
    pub arguments: Option<Vec<String>>,
}

impl Args for Relaunch {
    fn group_id() -> Option<Id> {
        Serve::group_id()
    }

    fn augment_args(command: Command) -> Command {
        Serve::augment_args(command)
    }

    fn augment_args_for_update(command: Command) -> Command {
        Serve::augment_args_for_update(command)
    }
}

impl FromArgMatches for Relaunch {
    fn from_arg_matches(matches: &ArgMatches) -> Result<Self, Error> {
        Self::from_arg_matches_mut(&mut matches.clone())
    }

    fn from_arg_matches_mut(matches: &mut ArgMatches) -> Result<Self, Error> {
        // Reading the flags takes them out.
        let arguments = given(matches);
        Ok(Self { serve: Serve::from_arg_matches_mut(matches)?, arguments })
    }

    fn update_from_arg_matches(&mut self, matches: &ArgMatches) -> Result<(), Error> {
        *self = Self::from_arg_matches(matches)?;
        Ok(())
    }
}

/// Every flag of `serve` that stands on the command line, in the order of the help.
fn given(matches: &ArgMatches) -> Option<Vec<String>> {
    let mut all = Vec::new();
    for flag in Serve::augment_args(Command::new("serve")).get_arguments() {
        let Some(long) = flag.get_long() else { continue };
        if matches.value_source(flag.get_id().as_str()) != Some(ValueSource::CommandLine) {
            continue;
        }
        if !flag.get_action().takes_values() {
            all.push(format!("--{long}"));
            continue;
        }
        for value in matches.get_raw(flag.get_id().as_str()).into_iter().flatten() {
            let value =
                if is_path(flag) { path::absolute(value).ok()?.into_os_string() } else { value.to_owned() };
            all.extend([format!("--{long}"), value.into_string().ok()?]);
        }
    }
    Some(all)
}

fn is_path(flag: &Arg) -> bool {
    let mut names = flag.get_value_names().into_iter().flatten();
    names.any(|name| PATHS.contains(&name.as_str()))
}

#[cfg(test)]
mod tests {
    use clap::Parser;

    use super::*;
    use crate::config::CloudKind;

    #[derive(Debug, Parser)]
    struct Line {
        #[arg(long)]
        json: bool,
        #[command(flatten)]
        relaunch: Relaunch,
    }

    fn read(words: &[&str]) -> Line {
        Line::try_parse_from([&["line"], words].concat()).unwrap()
    }

    #[test]
    fn what_was_given_is_given_again_and_nothing_else() {
        assert_eq!(read(&["--json"]).relaunch.arguments, Some(Vec::new()));
        let line = read(&[
            "--region",
            "cn-hangzhou",
            "--json",
            "--tools=dlc_get_job,dlc_list_jobs",
            "--cloud",
            "live",
            "--vpc",
            "--region",
            "cn-beijing",
            "--endpoint",
            "sts=https://sts.example",
        ]);
        assert!(line.json);
        assert_eq!(line.relaunch.serve.launch.cloud, CloudKind::Live);
        assert_eq!(
            line.relaunch.arguments.unwrap(),
            [
                "--cloud",
                "live",
                "--region",
                "cn-hangzhou",
                "--region",
                "cn-beijing",
                "--tools",
                "dlc_get_job",
                "--tools",
                "dlc_list_jobs",
                "--endpoint",
                "sts=https://sts.example",
                "--vpc",
            ]
        );
    }

    #[test]
    fn paths_are_made_whole() {
        let arguments = read(&["--audit", "here.jsonl", "--vault", "/there"]).relaunch.arguments.unwrap();
        let here = path::absolute("here.jsonl").unwrap();
        assert_eq!(arguments, ["--audit", here.to_str().unwrap(), "--vault", "/there"]);
    }
}
