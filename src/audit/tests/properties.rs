//! What holds of any record and any tampering.

use std::fs;
use std::sync::OnceLock;

use proptest::prelude::*;
use proptest::test_runner::RngSeed;
use serde_json::{Value, json};

use super::{Place, entry, lines_of};
use crate::audit::{Entry, Report, Style, show};

/// Five records, with a torn line before the fourth.
fn sample() -> &'static (Vec<u8>, Vec<u8>) {
    static SAMPLE: OnceLock<(Vec<u8>, Vec<u8>)> = OnceLock::new();
    SAMPLE.get_or_init(|| {
        let place = Place::new();
        place.append(&["a", "b", "c"]);
        place.tear(b"{\"v\":1,\"seq\":4,\"ts\":\"2026-03");
        place.append(&["d", "e"]);
        assert_eq!(place.whole(), (5, 1, Some(4)));
        (fs::read(&place.path).unwrap(), fs::read(place.head()).unwrap())
    })
}

fn is_broken(record: &[u8]) -> bool {
    matches!(Place::with(record, &sample().1).verify(), Report::Broken { .. })
}

fn fixed(cases: u32) -> ProptestConfig {
    ProptestConfig {
        cases,
        rng_seed: RngSeed::Fixed(20_260_301),
        failure_persistence: None,
        ..ProptestConfig::default()
    }
}

#[test]
fn an_edit_of_each_byte_is_found() {
    let record = &sample().0;
    for at in 0..record.len() {
        let mut edited = record.clone();
        edited[at] ^= 0x01;
        assert!(is_broken(&edited), "byte {at}");
    }
}

proptest! {
    #![proptest_config(fixed(512))]

    #[test]
    fn any_edit_of_any_byte_is_found(at in any::<prop::sample::Index>(), change in 1..=255_u8) {
        let mut edited = sample().0.clone();
        let at = at.index(edited.len());
        edited[at] ^= change;
        prop_assert!(is_broken(&edited));
    }

    #[test]
    fn any_cut_of_bytes_is_found(from in any::<prop::sample::Index>(), len in 1..2000_usize) {
        let mut cut = sample().0.clone();
        let from = from.index(cut.len());
        cut.drain(from..(from + len).min(sample().0.len()));
        prop_assert!(is_broken(&cut));
    }

    #[test]
    fn any_bytes_put_in_before_the_end_are_found(
        at in any::<prop::sample::Index>(),
        bytes in prop::collection::vec(any::<u8>(), 1..20),
    ) {
        let mut grown = sample().0.clone();
        let at = at.index(grown.len() - 1);
        grown.splice(at..at, bytes);
        prop_assert!(is_broken(&grown));
    }

    #[test]
    fn any_line_removed_repeated_or_swapped_is_found(a in 0..6_usize, b in 0..6_usize) {
        let lines = lines_of(&sample().0);
        let mut removed = lines.clone();
        let line = removed.remove(a);
        prop_assert!(is_broken(&removed.concat()));
        removed.insert(b, line);
        prop_assert_eq!(is_broken(&removed.concat()), a != b);
        let mut swapped = lines.clone();
        swapped.swap(a, b);
        prop_assert_eq!(is_broken(&swapped.concat()), a != b);
        let mut repeated = lines.clone();
        repeated.insert(b, lines[a].clone());
        prop_assert!(is_broken(&repeated.concat()));
    }
}

proptest! {
    #![proptest_config(fixed(64))]

    #[test]
    fn anything_can_be_recorded_read_back_and_shown(
        texts in prop::collection::vec(any::<String>(), 1..5),
        torn in prop::collection::vec(any::<u8>(), 0..40),
    ) {
        let place = Place::new();
        let entries: Vec<Entry> = texts
            .iter()
            .map(|text| Entry {
                scope: text.clone(),
                arguments: Some(json!({ text: [text, 1.5, u64::MAX] })),
                error: Some(text.clone()),
                ..entry(text)
            })
            .collect();
        let audit = place.audit();
        for entry in &entries {
            audit.append(entry).unwrap();
        }
        prop_assert_eq!(place.whole(), (entries.len() as u64, 0, None));
        let read: Vec<Entry> = place.records().into_iter().map(|record| record.entry).collect();
        prop_assert_eq!(read, entries);

        place.tear(&torn);
        for style in [Style::Table, Style::Json] {
            for line in show(&place.path, style).unwrap().map(Result::unwrap) {
                prop_assert!(!line.contains(char::is_control), "{line:?}");
            }
        }
        for line in show(&place.path, Style::Json).unwrap().map(Result::unwrap) {
            prop_assert!(serde_json::from_str::<Value>(&line).is_ok(), "{line:?}");
        }
    }
}
