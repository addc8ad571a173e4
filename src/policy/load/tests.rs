use super::*;
use crate::policy::grant;

mod overlays;

/// The rules of one file that is laid over nothing.
pub(super) fn parse(file: &str, text: &str) -> Result<Rules, LoadError> {
    let rules = read(file, text)?;
    check::check(&rules).map_err(|(rule, reason)| LoadError::about(file, text, &rule, reason))?;
    Ok(rules)
}

const REGION: &str = r#"[[confirm]]
id = "region"
sources = []
why = "w"
subject = "region"
lifetime_hours = 8
"#;

const IMAGE: &str = r#"
[[provenance]]
id = "image"
sources = []
why = "w"
fact = "image"
learn = ["aiworkspace_list_images"]
verify = { tool = "aiworkspace_list_images", filter = "ImageUri" }
lifetime_hours = 24
fix = "f"
"#;

const ARGUMENTS: &str = r#"
[[confirm]]
id = "arguments"
sources = []
why = "w"
subject = "arguments"
effects = ["create"]
highlight = [{ path = "SecurityContext.Privileged", values = ["true"], say = "s" }]
note = [{ tool = "dlc_create_job", given = "ResourceId", say = "s" }]
"#;

const NAME: &str = r#"
[[precheck]]
id = "name"
sources = []
why = "w"
check = "unique-name"
tools = ["aiworkspace_create_workspace"]
"#;

const ACTIVATION: &str = r#"
[[precheck]]
id = "activated"
sources = []
why = "w"
check = "activation"
except = ["aiworkspace_list_products"]
lifetime_hours = 8
"#;

const SECRET: &str = r#"
[[secret-argument]]
id = "secret"
sources = []
why = "w"
fix = "f"
patterns = ['LTAI']
"#;

fn whole() -> String {
    [REGION, IMAGE, ARGUMENTS, NAME, ACTIVATION, SECRET].concat()
}

#[test]
fn compiled_policies_make_sense() {
    for (file, text) in [RED_LINES, DEFAULT] {
        assert!(parse(file, text).is_ok(), "{:?}", parse(file, text));
    }
    let Loaded { rules, sha256, .. } = load(&[]).unwrap();
    let ids: Vec<&str> = rules.all().map(Rule::id).collect();
    assert_eq!(
        ids,
        [
            "no-credentials-in-arguments",
            "image-from-list",
            "workspace-from-list",
            "dataset-from-list",
            "code-source-from-list",
            "template-from-list",
            "machine-type-listed",
            "storage-of-dataset",
            "commit-of-code-source",
            "no-privileged-containers",
            "no-further-rights",
            "no-local-mounts",
            "no-injected-credentials",
            "own-machines-name-their-quota",
            "public-machines-without-quota",
            "revealed-by-these-alone",
            "job-of-a-sane-size",
            "no-search-after-missing",
            "no-guessed-ids",
            "retry-keeps-verbose",
            "batch-is-final",
            "several-ids-at-once",
            "verbose-decided-first",
            "permission-granted-first",
            "discovered-once",
            "pai-activated",
            "workspace-created-once",
            "sandbox-created-once",
            "instance-created-once",
            "inference-created-once",
            "training-created-once",
            "times-ahead",
            "template-judged",
            "job-change-heeded",
            "dashboard-of-ray-job",
            "health-check-enabled",
            "instance-state",
            "training-state",
            "region-confirmed",
            "arguments-confirmed",
        ]
    );
    assert_eq!(sha256.len(), 64);
}

/// Nothing loosens what the sources forbid, and what comes with the program changes nothing that came before.
#[test]
fn red_lines_are_locked() {
    let rules = read(RED_LINES.0, RED_LINES.1).unwrap();
    assert!(rules.all().all(|rule| rule.tunable().is_empty()));
    for (file, text) in [RED_LINES, DEFAULT] {
        assert!(read(file, text).unwrap().change.is_empty(), "{file}");
    }
}

/// Every effect that changes the world is confirmed, and no rule is without a reason. What no source demands is named
/// here.
#[test]
fn compiled_rules_cover_every_change() {
    let rules = load(&[]).unwrap().rules;
    let arguments = rules.confirm.iter().find(|rule| rule.subject == Subject::Arguments).unwrap();
    assert_eq!(arguments.effects.len(), 5);
    assert!(rules.all().all(|rule| !rule.why().is_empty()));
    for rule in rules.all() {
        assert!(rule.sources().iter().all(|id| id.starts_with("R-")), "{}", rule.id());
    }
    let own: Vec<&str> = rules.all().filter(|rule| rule.sources().is_empty()).map(Rule::id).collect();
    assert_eq!(
        own,
        ["no-privileged-containers", "no-further-rights", "no-local-mounts", "job-of-a-sane-size"]
    );
}

#[test]
fn a_sound_policy_loads() {
    let rules = parse("p.toml", &whole()).unwrap();
    let counts =
        [rules.confirm.len(), rules.precheck.len(), rules.provenance.len(), rules.secret_argument.len()];
    assert_eq!(counts, [2, 2, 1, 1]);
}

#[test]
fn a_path_leads_through_lists_and_to_any_key_of_a_free_map() {
    for (from, to) in [
        ("path = \"SecurityContext.Privileged\"", "path = \"Envs.LD_PRELOAD\""),
        ("path = \"SecurityContext.Privileged\"", "path = \"Env.Name\""),
        ("given = \"ResourceId\"", "given = \"JobSpecs.QuotaId\""),
    ] {
        let text = whole();
        assert_eq!(text.matches(from).count(), 1, "{from}");
        assert!(parse("p.toml", &text.replace(from, to)).is_ok(), "{to}");
    }
}

/// What is said of the sound policy with `from` become `to`.
#[track_caller]
fn error(from: &str, to: &str) -> String {
    let text = whole();
    assert_eq!(text.matches(from).count(), 1, "{from}");
    parse("p.toml", &text.replace(from, to)).unwrap_err().to_string()
}

#[test]
fn errors_say_file_line_and_what_is_wrong() {
    for (from, to, expected) in [
        (
            "subject = \"region\"\n",
            "subject = \"region\"\nlifetime = 8\n",
            "p.toml, line 6: unknown field `lifetime`, expected one of `id`, `sources`, `why`, `tunable`, \
             `examples`, `subject`, `lifetime_hours`, `effects`, `highlight`, `variable`, `note`",
        ),
        (
            "[[provenance]]",
            "[[provenence]]",
            "p.toml, line 8: unknown field `provenence`, expected one of `secret-argument`, `provenance`, \
             `forbid`, `requires`, `exclusive`, `reveal`, `budget`, `sequence`, `precheck`, `confirm`, `change`, `grant`",
        ),
        (
            "subject = \"region\"",
            "subject = \"place\"",
            "p.toml, line 5: unknown variant `place`, expected `region` or `arguments`",
        ),
        (
            "effects = [\"create\"]",
            "effects = [\"created\"]",
            "p.toml, line 23: unknown variant `created`, expected one of `read`, `untrusted`, `reveal`, `create`, \
             `update`, `act`, `destroy`",
        ),
        (
            "fact = \"image\"",
            "fact = \"images\"",
            "p.toml, line 12: unknown variant `images`, expected one of `region`, `workspace`, `image`, `dataset`, \
             `code_source`, `template`, `machine_type`, `storage`, `commit`",
        ),
        (
            "id = \"region\"",
            "id = region",
            "p.toml, line 2: string values must be quoted, expected literal string",
        ),
        (
            "learn = [\"aiworkspace_list_images\"]",
            "learn = [\"aiworkspace_list_image\"]",
            "p.toml, line 9, rule image: there is no tool aiworkspace_list_image; see `redline-mcp tools`",
        ),
        (
            "learn = [\"aiworkspace_list_images\"]",
            "learn = [\"aiworkspace_list_workspaces\"]",
            "p.toml, line 9, rule image: no reply of aiworkspace_list_workspaces teaches image",
        ),
        (
            "filter = \"ImageUri\"",
            "filter = \"Image\"",
            "p.toml, line 9, rule image: aiworkspace_list_images has no argument Image",
        ),
        (
            "verify = { tool = \"aiworkspace_list_images\"",
            "verify = { tool = \"list_images\"",
            "p.toml, line 9, rule image: list_images has no argument ImageUri",
        ),
        (
            "lifetime_hours = 24",
            "lifetime_hours = 0",
            "p.toml, line 9, rule image: lifetime_hours must be from 1 to 8760",
        ),
        (
            "lifetime_hours = 24",
            "lifetime_hours = 9223372036854775807",
            "p.toml, line 9, rule image: lifetime_hours must be from 1 to 8760",
        ),
        (
            "path = \"SecurityContext.Privileged\"",
            "path = \"SecurityContext.Priviledged\"",
            "p.toml, line 19, rule arguments: no tool has an argument SecurityContext.Priviledged",
        ),
        (
            "note = [{ tool = \"dlc_create_job\"",
            "note = [{ tool = \"dlc_make_job\"",
            "p.toml, line 19, rule arguments: there is no tool dlc_make_job",
        ),
        (
            "given = \"ResourceId\"",
            "given = \"QuotaId\"",
            "p.toml, line 19, rule arguments: dlc_create_job has no argument QuotaId",
        ),
        (
            "given = \"ResourceId\"",
            "missing = \"JobSpecs.Quota\"",
            "p.toml, line 19, rule arguments: dlc_create_job has no argument JobSpecs.Quota",
        ),
        (
            "path = \"SecurityContext.Privileged\"",
            "path = \"Envs.A.B\"",
            "p.toml, line 19, rule arguments: no tool has an argument Envs.A.B",
        ),
        (
            "path = \"SecurityContext.Privileged\"",
            "path = \"LD_PRELOAD\"",
            "p.toml, line 19, rule arguments: no tool has an argument LD_PRELOAD",
        ),
        (
            "note = [{ tool",
            "variable = [{ names = [], say = \"s\" }]\nnote = [{ tool",
            "p.toml, line 19, rule arguments: names is empty, so it would point out nothing",
        ),
        (
            "effects = [\"create\"]",
            "effects = []",
            "p.toml, line 19, rule arguments: a region takes lifetime_hours from 1 to 8 and no effects; arguments take \
             effects and no lifetime",
        ),
        (
            "tools = [\"aiworkspace_create_workspace\"]",
            "tools = [\"create_workspace\"]",
            "p.toml, line 28, rule name: there is no tool create_workspace; see `redline-mcp tools`",
        ),
        (
            "except = [\"aiworkspace_list_products\"]",
            "except = [\"*\"]",
            "p.toml, line 35, rule activated: there is no tool *; see `redline-mcp tools`",
        ),
        (
            "except = [\"aiworkspace_list_products\"]\nlifetime_hours = 8",
            "except = [\"aiworkspace_list_products\"]",
            "p.toml, line 35, rule activated: activation takes lifetime_hours from 1 to 8760; a unique name, what \
             must lie ahead, a template and a state take none, for they are looked at each time, and name tools that have such \
             an argument or subject",
        ),
        (
            "check = \"unique-name\"",
            "check = \"state\"",
            "p.toml, line 28, rule name: activation takes lifetime_hours from 1 to 8760; a unique name, what must \
             lie ahead, a template and a state take none, for they are looked at each time, and name tools that have such an \
             argument or subject",
        ),
        (
            "check = \"unique-name\"",
            "check = \"ahead\"",
            "p.toml, line 28, rule name: activation takes lifetime_hours from 1 to 8760; a unique name, what must \
             lie ahead, a template and a state take none, for they are looked at each time, and name tools that have such an \
             argument or subject",
        ),
        (
            "given = \"ResourceId\"",
            "when = [{ path = \"Priority\", is = [\"1\"] }, { path = \"Hurry\" }]",
            "p.toml, line 19, rule arguments: dlc_create_job has no argument Hurry",
        ),
        (
            "patterns = ['LTAI']",
            "patterns = []",
            "p.toml, line 43, rule secret: patterns is empty, so the rule would bind nothing",
        ),
        (
            "verify = { tool = \"aiworkspace_list_images\", filter = \"ImageUri\" }",
            "verify = { tool = \"dlc_create_job\", filter = \"DisplayName\" }",
            "p.toml, line 9, rule image: dlc_create_job isn't a plain read; verify by one",
        ),
        ("id = \"secret\"", "id = \"region\"", "p.toml, line 43, rule region: two rules have this id"),
    ] {
        assert_eq!(error(from, to), expected, "{to}");
    }
}

#[test]
fn a_bad_pattern_is_pointed_at() {
    let error = error("patterns = ['LTAI']", "patterns = ['LTAI(']");
    assert!(error.starts_with("p.toml, line 47: regex parse error:"), "{error}");
    assert!(error.contains("unclosed group"), "{error}");
}

#[test]
fn a_grant_lasts_an_hour_and_is_for_a_hundred_calls_at_most() {
    let grant =
        |limits: &str| parse("p.toml", &format!("{REGION}\n[grant]\n{limits}\n")).map(|rules| rules.grant);
    assert_eq!(grant("minutes = 60\ncalls = 100"), Ok(Some(grant::Limits { minutes: 60, calls: 100 })));
    assert_eq!(grant("minutes = 0\ncalls = 0"), Ok(Some(grant::Limits { minutes: 0, calls: 0 })));
    for (limits, reason) in [
        (
            "minutes = 61\ncalls = 1",
            "rule grant: minutes must be from 0 to 60, calls from 0 to 100; 0 turns grants off",
        ),
        (
            "minutes = 1\ncalls = 101",
            "rule grant: minutes must be from 0 to 60, calls from 0 to 100; 0 turns grants off",
        ),
        ("minutes = -1\ncalls = 1", "invalid value: integer `-1`, expected u32"),
        ("minutes = 1", "missing field `calls`"),
        ("minutes = 1\ncalls = 1\ntools = []", "unknown field `tools`, expected `minutes` or `calls`"),
    ] {
        let error = grant(limits).unwrap_err().to_string();
        assert!(error.ends_with(reason), "{error}");
    }
    assert!(grant("minutes = 61\ncalls = 1").unwrap_err().to_string().starts_with("p.toml, line 8,"));
}

#[test]
fn a_region_holds_at_most_eight_hours() {
    for hours in ["0", "9", "-1"] {
        let text = REGION.replace("lifetime_hours = 8", &format!("lifetime_hours = {hours}"));
        let error = parse("p.toml", &text).unwrap_err().to_string();
        assert!(
            error.starts_with("p.toml, line 2, rule region: a region takes lifetime_hours from 1 to 8"),
            "{error}"
        );
    }
}
