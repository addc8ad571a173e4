use super::*;

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
    for (file, text) in [("red-lines.toml", RED_LINES), ("default.toml", DEFAULT)] {
        assert!(parse(file, text).is_ok(), "{:?}", parse(file, text));
    }
    let (rules, sha256) = compiled().unwrap();
    let sequences: Vec<&str> = rules.sequence.iter().map(Rule::id).collect();
    assert_eq!(
        sequences,
        [
            "no-search-after-missing",
            "no-guessed-ids",
            "retry-keeps-verbose",
            "batch-is-final",
            "several-ids-at-once",
            "verbose-decided-first",
            "permission-granted-first",
            "discovered-once",
        ]
    );
    let ids: Vec<&str> = rules
        .secret_argument
        .iter()
        .map(Rule::id)
        .chain(rules.provenance.iter().map(Rule::id))
        .chain(rules.precheck.iter().map(Rule::id))
        .chain(rules.confirm.iter().map(Rule::id))
        .collect();
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
            "pai-activated",
            "workspace-created-once",
            "sandbox-created-once",
            "instance-created-once",
            "inference-created-once",
            "training-created-once",
            "times-ahead",
            "template-judged",
            "region-confirmed",
            "arguments-confirmed",
        ]
    );
    assert_eq!(sha256.len(), 64);
}

/// Every effect that changes the world is confirmed, and no rule is without a reason.
#[test]
fn compiled_rules_cover_every_change() {
    let (rules, _) = compiled().unwrap();
    let arguments = rules.confirm.iter().find(|rule| rule.subject == Subject::Arguments).unwrap();
    assert_eq!(arguments.effects.len(), 5);
    for (sources, why) in rules
        .confirm
        .iter()
        .map(|rule| (rule.sources(), rule.why()))
        .chain(rules.precheck.iter().map(|rule| (rule.sources(), rule.why())))
        .chain(rules.provenance.iter().map(|rule| (rule.sources(), rule.why())))
        .chain(rules.secret_argument.iter().map(|rule| (rule.sources(), rule.why())))
        .chain(rules.sequence.iter().map(|rule| (rule.sources(), rule.why())))
    {
        assert!(!sources.is_empty() && !why.is_empty());
        assert!(sources.iter().all(|id| id.starts_with("R-")), "{sources:?}");
    }
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
            "p.toml, line 6: unknown field `lifetime`, expected one of `id`, `sources`, `why`, `subject`, \
             `lifetime_hours`, `effects`, `highlight`, `variable`, `note`",
        ),
        (
            "[[provenance]]",
            "[[provenence]]",
            "p.toml, line 8: unknown field `provenence`, expected one of `confirm`, `precheck`, `provenance`, \
             `secret-argument`, `sequence`",
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
             must lie ahead and a template take none, for they are looked at each time, and name tools that have such an argument",
        ),
        (
            "check = \"unique-name\"",
            "check = \"ahead\"",
            "p.toml, line 28, rule name: activation takes lifetime_hours from 1 to 8760; a unique name, what must \
             lie ahead and a template take none, for they are looked at each time, and name tools that have such an argument",
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
