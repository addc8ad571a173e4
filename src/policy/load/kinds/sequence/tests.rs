use crate::policy::load::tests::parse;

const SOUND: &str = r#"
[[sequence]]
id = "batch"
sources = ["R-WS-87"]
why = "w"
tools = ["aiworkspace_get_workspace"]
flag = { name = "Verbose", set = false }
ids = "WorkspaceId"
after = { tools = ["aiworkspace_list_workspaces"], ids = "WorkspaceIds", ended = "answered", about = "same-ids" }
within_seconds = 60
then = "refuse"
say = "s"
fix = "f"
"#;

#[test]
fn a_sound_rule_loads() {
    let rules = parse("p.toml", SOUND).unwrap();
    assert_eq!(rules.sequence.len(), 1);
    assert_eq!(rules.sequence[0].after.times, 1);
}

#[test]
fn errors_say_what_is_wrong() {
    for (from, to, expected) in [
        (
            "tools = [\"aiworkspace_get_workspace\"]",
            "tools = [\"get_workspace\"]",
            "there is no tool get_workspace",
        ),
        ("tools = [\"aiworkspace_list_workspaces\"]", "tools = [\"list\"]", "there is no tool list"),
        ("name = \"Verbose\"", "name = \"verbose\"", "has an argument verbose that fits"),
        ("name = \"Verbose\"", "name = \"WorkspaceId\"", "has an argument WorkspaceId that fits"),
        ("ids = \"WorkspaceIds\"", "ids = \"WorkspaceId\"", "has an argument WorkspaceId that fits"),
        ("ids = \"WorkspaceId\"\n", "", "ids and after.ids go with"),
        ("about = \"same-ids\"", "about = \"anything\"", "ids and after.ids go with"),
        ("within_seconds = 60", "within_seconds = 0", "within_seconds from 1 to 1800"),
        ("within_seconds = 60", "within_seconds = 1801", "within_seconds from 1 to 1800"),
        ("about = \"same-ids\"", "about = \"same-ids\", times = 0", "times is at least 1"),
        ("ended = \"answered\"", "ended = \"failed\"", "any other failure says nothing"),
        ("then = \"refuse\"", "then = \"carry\"", "carry goes with then"),
        ("then = \"refuse\"", "then = \"refuse\"\ncarry = [\"Verbose\"]", "carry goes with then"),
        ("then = \"refuse\"", "then = \"advise\"", "fix goes with then"),
        ("fix = \"f\"\n", "", "fix goes with then"),
        ("then = \"refuse\"", "then = \"stop\"", "unknown variant `stop`"),
        ("say = \"s\"", "says = \"s\"", "unknown field `says`"),
    ] {
        assert_eq!(SOUND.matches(from).count(), 1, "{from}");
        let error = parse("p.toml", &SOUND.replace(from, to)).unwrap_err().to_string();
        assert!(error.starts_with("p.toml, line ") && error.contains(expected), "{to}: {error}");
    }
}
