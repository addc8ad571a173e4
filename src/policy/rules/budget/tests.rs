use super::*;

/// Look-alikes of an allowed address aren't allowed.
#[test]
fn a_prefix_is_of_whole_steps() {
    for (image, prefix, expected) in [
        ("registry.example/team/a:1", "registry.example/team", true),
        ("registry.example/team:1", "registry.example/team", true),
        ("registry.example/team", "registry.example/team", true),
        ("registry.example/team@sha256:ab", "registry.example/team", true),
        ("registry.example/team/a:1", "registry.example/team/", true),
        ("registry.example/team-b/a:1", "registry.example/team", false),
        ("registry.example/team@evil.example/a:1", "registry.example/team", false),
        ("registry.example.evil/team/a:1", "registry.example", false),
        ("registry.example/team/../other/a:1", "registry.example/team", false),
        ("registry.example/team/a:1 ", "registry.example/team", false),
        ("Registry.example/team/a:1", "registry.example/team", false),
        (" registry.example/team/a:1", "registry.example/team", false),
        ("evil.example/registry.example/team/a:1", "registry.example/team", false),
    ] {
        assert_eq!(begins(image, prefix), expected, "{image:?} {prefix:?}");
    }
}

#[test]
fn a_duration_counts_at_its_longest() {
    for (text, hours) in [
        ("PT48H", Some(48)),
        ("P2D", Some(48)),
        ("P1W", Some(168)),
        ("P1M", Some(744)),
        ("P1Y", Some(8784)),
        ("P1DT1H", Some(25)),
        ("P", None),
    ] {
        assert_eq!(duration(text), hours.map(SignedDuration::from_hours), "{text}");
    }
}
