//! What belongs to one place only: environment, clock, output. And how long a file may be.

use std::fs;
use std::path::Path;

use super::source::{Found, Source, files, name};

/// The longest a source file may be, in lines. Most have fewer than 400.
const LONGEST: usize = 500;

fn places<T>(all: &[Found<T>], pick: impl Fn(&Found<T>) -> bool) -> Vec<String> {
    all.iter().filter(|found| pick(found)).map(|found| found.place.to_string()).collect()
}

fn reads_environment(path: &[String]) -> bool {
    path.starts_with(&["std".to_owned(), "env".to_owned()]) || (path.len() > 1 && path[0] == "env")
}

fn reads_clock(path: &[String]) -> bool {
    let mut last = path.iter().rev().map(String::as_str);
    last.next() == Some("now") && matches!(last.next(), Some("Timestamp" | "SystemTime" | "Zoned"))
}

#[test]
fn only_config_reads_the_environment() {
    let read = |found: &Found<Vec<String>>| reads_environment(&found.what);
    let source = Source::read();
    assert_eq!(places(&source.paths, |found| read(found) && found.place.file != "src/config.rs"), [""; 0]);
    assert!(source.paths.iter().any(read), "the search finds none at all");
}

/// What the client of the clouds needs of this machine is handed to it; `config` reads it.
#[test]
fn the_client_of_the_clouds_reads_no_file() {
    let read = |found: &Found<Vec<String>>| {
        let step = |names: &[&str]| found.what.iter().any(|step| names.contains(&step.as_str()));
        step(&["fs", "File", "OpenOptions", "dirs"])
    };
    let source = Source::read();
    assert_eq!(places(&source.paths, |found| read(found) && found.place.top() == "cloud"), [""; 0]);
    assert!(source.paths.iter().any(read), "the search finds none at all");
}

#[test]
fn only_one_place_reads_the_wall_clock() {
    let read = |found: &Found<Vec<String>>| reads_clock(&found.what);
    let source = Source::read();
    assert_eq!(
        places(&source.paths, |found| read(found) && found.place.file != "src/gateway/clock.rs"),
        [""; 0]
    );
    assert!(source.paths.iter().any(read), "the search finds none at all");
}

#[test]
fn only_the_command_line_prints() {
    let source = Source::read();
    let printed = places(&source.macros, |found| {
        found.what == "dbg"
            || (["print", "println"].contains(&found.what.as_str()) && found.place.top() != "cli")
    });
    assert_eq!(printed, [""; 0]);
}

#[test]
fn only_the_command_line_and_the_server_write_to_stdout() {
    let source = Source::read();
    let used = places(&source.paths, |found| {
        let named =
            found.what.iter().any(|step| ["stdout", "Stdout", "stdio_pipes"].contains(&step.as_str()));
        named && !["cli", "server"].contains(&found.place.top())
    });
    assert_eq!(used, [""; 0]);
}

#[test]
fn a_ban_is_found_in_a_macro_too() {
    let planted = "
        fn a() { let home = std::env::var(\"HOME\"); info!(at = %Timestamp::now(), \"{}\", env::args().count()); }
        fn b() { select! { x = y => println!(\"{x}\") } }
    ";
    let source = Source::of("cloud", planted);
    assert_eq!(places(&source.paths, |found| reads_environment(&found.what)).len(), 2);
    assert_eq!(places(&source.paths, |found| reads_clock(&found.what)).len(), 1);
    assert_eq!(places(&source.macros, |found| found.what == "println"), ["planted.rs:3"]);
}

#[test]
fn files_can_be_read_in_one_sitting() {
    let long: Vec<String> = files("src", &["rs"])
        .iter()
        .map(|file| (name(file), fs::read_to_string(file).unwrap().lines().count()))
        .filter(|(_, lines)| *lines > LONGEST)
        .map(|(file, lines)| format!("{file} has {lines} lines"))
        .collect();
    assert_eq!(long, Vec::<String>::new());
}

#[test]
fn every_file_is_part_of_the_crate_or_of_its_tests() {
    let source = Source::read();
    let is_test = |file: &Path| {
        let module = file.with_extension("");
        source.tests.iter().any(|test| module.starts_with(test))
    };
    let stray: Vec<String> = files("src", &["rs"])
        .iter()
        .filter(|file| !source.files.contains(*file) && !is_test(file))
        .map(|file| name(file))
        .collect();
    assert_eq!(stray, Vec::<String>::new());
}
