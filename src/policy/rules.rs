//! Judging: what each rule says of a call, and how a verdict comes of it.
//!
//! Every rule that binds the call rules on it; then the first of these decides: a refusal, the region's
//! confirmation, the policy's reads, what exists already, the arguments' confirmation. Nothing here does I/O
//! or reads a clock.

mod secrets;

use jiff::Timestamp;
use serde_json::{Value, json};

use super::consent::{Approval, Channel, Question};
use super::facts::Known;
use super::load::{Check, Confirm, Precheck, Provenance, Rule, Subject, binds, hours};
use super::mask::ask_call;
use super::question::{self, Setting};
use super::review::{self, Evidence, Read, Standing, look, read, standing};
use super::verdict::{Cleared, Existing, Finding, Ground, Judgement, Refusal, Said, Verdict};
use super::{Knowledge, OnMiss, Policy};
use crate::error::Fault;
use crate::spec::marks::{Fact, Home};
use crate::spec::{Call, Origin};
use crate::tools;
use crate::tools::aiworkspace::workspaces::{CreateWorkspace, ListProducts};

/// The product code whose purchase activates PAI (R-WS-47).
const PAI: &str = "PAI_share";

/// What one rule says.
enum Ruling {
    Pass,
    Refuse(Refusal),
    Confirm(Question),
    Need(Vec<Call>),
    Answer(Existing),
}

impl Ruling {
    const fn said(&self) -> Said {
        match self {
            Self::Pass => Said::Passed,
            Self::Refuse(_) => Said::Refused,
            Self::Confirm(_) => Said::Asked,
            Self::Need(_) => Said::Wants,
            Self::Answer(_) => Said::Answered,
        }
    }
}

/// A judgement in the making: the first ruling that isn't a pass decides, since rules are put in the order of
/// precedence.
#[derive(Default)]
struct Bench {
    decided: Option<Verdict>,
    findings: Vec<Finding>,
}

impl Bench {
    fn hear(&mut self, rule: &dyn Rule, path: Option<String>, ruling: Ruling) {
        self.findings.push(Finding {
            id: rule.id().to_owned(),
            kind: rule.kind().to_owned(),
            result: ruling.said(),
            path,
        });
        let verdict = match ruling {
            Ruling::Pass => return,
            Ruling::Refuse(refusal) => Verdict::Refused(refusal),
            Ruling::Confirm(question) => Verdict::Confirm(question),
            Ruling::Need(calls) => Verdict::Need(calls),
            Ruling::Answer(existing) => Verdict::Answer(existing),
        };
        match (&mut self.decided, verdict) {
            (Some(Verdict::Refused(first)), Verdict::Refused(more)) => {
                first.violations.extend(more.violations)
            }
            (Some(_), _) => {}
            (decided @ None, verdict) => *decided = Some(verdict),
        }
    }
}

pub(super) fn judge(policy: &Policy, call: &Call, knowledge: &Knowledge<'_>, now: Timestamp) -> Judgement {
    let own = is_own(call);
    let mut bench = Bench::default();
    let mut grounds = Vec::new();
    let mut unverified = Vec::new();
    for rule in &policy.rules.secret_argument {
        let (path, ruling) = secrets::found(rule, call);
        bench.hear(rule, path, ruling);
    }
    let arguments = Value::Object(call.arguments().clone());
    for rule in &policy.rules.provenance {
        match provenance(policy, rule, call, &arguments, knowledge, now, &mut grounds) {
            None => {}
            Some((path, need @ Ruling::Need(_))) => unverified.push((rule, path, need)),
            Some((path, ruling)) => bench.hear(rule, path, ruling),
        }
    }
    let mut consent = None;
    for rule in of(&policy.rules.confirm, Subject::Region) {
        let Some(region) = call.region() else { continue };
        let ruling = region_confirmed(policy, rule, call, region, knowledge, now);
        bench.hear(rule, Some("RegionId".to_owned()), ruling);
    }
    for rule in of_check(&policy.rules.precheck, Check::Activation, call) {
        if !own {
            bench.hear(rule, Some("RegionId".to_owned()), activated(rule, call, knowledge, now));
        }
    }
    for (rule, path, need) in unverified {
        bench.hear(rule, path, need);
    }
    for rule in of_check(&policy.rules.precheck, Check::WorkspaceName, call) {
        if let Some(request) = call.request::<CreateWorkspace>() {
            bench.hear(rule, Some("WorkspaceName".to_owned()), name_free(rule, request, knowledge.evidence));
        }
    }
    for rule in of(&policy.rules.confirm, Subject::Arguments) {
        if !own && rule.effects.contains(&call.spec().effect) {
            match arguments_confirmed(policy, rule, call, knowledge) {
                Ok(approval) => {
                    consent = Some(approval);
                    bench.hear(rule, None, Ruling::Pass);
                }
                Err(ruling) => bench.hear(rule, None, *ruling),
            }
        }
    }
    let verdict = bench.decided.unwrap_or_else(|| Verdict::Cleared(Cleared::new(call.clone(), consent)));
    Judgement { verdict, findings: bench.findings, grounds }
}

/// Whether this is a read of the policy's own. What changes the world is never excused, whoever wants it.
fn is_own(call: &Call) -> bool {
    match call.origin() {
        Origin::Agent => false,
        Origin::Policy => !call.spec().effect.changes(),
    }
}

pub(super) fn of(rules: &[Confirm], subject: Subject) -> impl Iterator<Item = &Confirm> {
    rules.iter().filter(move |rule| rule.subject == subject)
}

fn of_check<'r>(rules: &'r [Precheck], check: Check, call: &Call) -> impl Iterator<Item = &'r Precheck> {
    rules.iter().filter(move |rule| rule.check == check && binds(rule.tools.as_ref(), &rule.except, call))
}

/// Whether every value of the rule's kind is known; `None` where the call has none.
fn provenance(
    policy: &Policy,
    rule: &Provenance,
    call: &Call,
    arguments: &Value,
    knowledge: &Knowledge<'_>,
    now: Timestamp,
    grounds: &mut Vec<Ground>,
) -> Option<(Option<String>, Ruling)> {
    if !binds(rule.tools.as_ref(), &Default::default(), call) || is_own(call) {
        return None;
    }
    let region = call.region().unwrap_or_default();
    let mut claims = Vec::new();
    call.tool().request().claims(arguments, &mut |claim| {
        if claim.fact == rule.fact {
            let workspace = match claim.workspace {
                Home::Named(id) => place_of(rule.fact, Some(id)),
                Home::Unnamed | Home::Unreadable => None,
            };
            claims.push((claim.path.to_string(), claim.text.to_owned(), workspace.map(str::to_owned)));
        }
    });
    let first = claims.first()?.0.clone();
    let mut refusal = Refusal::new(rule.id.clone(), format!("{} unknown here", subject(rule.fact)));
    let mut needs: Vec<Call> = Vec::new();
    for (path, value, workspace) in claims {
        let known = knowledge.facts.known(
            rule.fact,
            region,
            workspace.as_deref(),
            &value,
            now,
            hours(rule.lifetime_hours),
        );
        match known {
            Some(Known { learned_at, .. }) => grounds.push(Ground { fact: rule.fact, value, learned_at }),
            None => match verify(policy, rule, region, workspace.as_deref(), &value, knowledge.evidence) {
                Verified::Need(reads) => {
                    for read in reads {
                        if !needs.iter().any(|other| other.arguments() == read.arguments()) {
                            needs.push(read);
                        }
                    }
                }
                Verified::Unknown => {
                    refusal.violations.push(Fault::new(path, unknown(rule), rule.fix.clone()));
                }
                Verified::Failed(failed) => return Some((Some(path), Ruling::Refuse(failed))),
            },
        }
    }
    if !refusal.violations.is_empty() {
        return Some((Some(first), Ruling::Refuse(refusal)));
    }
    Some((Some(first), if needs.is_empty() { Ruling::Pass } else { Ruling::Need(needs) }))
}

/// Workspaces are known per region; what belongs to a workspace is known within it.
pub(super) const fn place_of(fact: Fact, workspace: Option<&str>) -> Option<&str> {
    match fact {
        Fact::Region | Fact::Workspace => None,
        Fact::Image | Fact::Dataset | Fact::CodeSource | Fact::Template => workspace,
    }
}

const fn subject(fact: Fact) -> &'static str {
    match fact {
        Fact::Region => "this region is",
        Fact::Workspace => "this workspace is",
        Fact::Image => "an image is",
        Fact::Dataset => "a dataset is",
        Fact::CodeSource => "a code source is",
        Fact::Template => "a template is",
    }
}

fn unknown(rule: &Provenance) -> String {
    let sources: Vec<&str> = rule.learn.iter().map(String::as_str).collect();
    match (sources.as_slice(), place_of(rule.fact, Some(""))) {
        ([], _) => "can't be looked up by this version, so it can't be told from a guess".to_owned(),
        (sources, None) => format!("didn't come from {} in this region", sources.join(" or ")),
        (sources, Some(_)) => {
            format!("didn't come from {} in this region and workspace", sources.join(" or "))
        }
    }
}

/// What became of verifying a value that nobody listed.
enum Verified {
    Need(Vec<Call>),
    Unknown,
    Failed(Refusal),
}

fn verify(
    policy: &Policy,
    rule: &Provenance,
    region: &str,
    workspace: Option<&str>,
    value: &str,
    evidence: &Evidence,
) -> Verified {
    let Some(verify) = rule.verify.as_ref().filter(|_| policy.settings.on_miss == OnMiss::Verify) else {
        return Verified::Unknown;
    };
    let Some(tool) = tools::find(&verify.tool) else { return Verified::Unknown };
    let mut places = vec![None];
    if workspace.is_some() && verify.filter != "WorkspaceId" && tool.request().field("WorkspaceId").is_some()
    {
        places.insert(0, workspace);
    }
    let mut needs = Vec::new();
    for place in places {
        let mut arguments = json!({ "RegionId": region, verify.filter.as_str(): value });
        if let (Some(workspace), Value::Object(arguments)) = (place, &mut arguments) {
            arguments.insert("WorkspaceId".to_owned(), workspace.into());
        }
        let call = arguments
            .as_object()
            .and_then(|arguments| tool.parse(arguments).ok())
            .map(|call| call.by(Origin::Policy));
        match (look(call, evidence), rule.fact) {
            (Read::Needed(call), _) => needs.push(call),
            (Read::Failed(refusal), _) if refusal.rule != "cloud-not-found" => {
                return Verified::Failed(refusal);
            }
            (Read::Failed(_) | Read::Reply(_), _) => {}
        }
    }
    if needs.is_empty() { Verified::Unknown } else { Verified::Need(needs) }
}

/// Whether a human confirmed the region (R-WS-44).
fn region_confirmed(
    policy: &Policy,
    rule: &Confirm,
    call: &Call,
    region: &str,
    knowledge: &Knowledge<'_>,
    now: Timestamp,
) -> Ruling {
    let lifetime = hours(rule.lifetime_hours.unwrap_or_default());
    let confirmed = policy.settings.operator.regions.contains(region)
        || knowledge.consents.confirmed(knowledge.account, region, now, lifetime);
    if confirmed {
        Ruling::Pass
    } else {
        Ruling::Confirm(question::region(rule, call, region, &setting(policy, knowledge.account)))
    }
}

/// Whether a human, or the operator beforehand, said yes to exactly this call.
fn arguments_confirmed(
    policy: &Policy,
    rule: &Confirm,
    call: &Call,
    knowledge: &Knowledge<'_>,
) -> Result<Approval, Box<Ruling>> {
    let question = arguments_question(policy, rule, call, knowledge.account);
    if policy.settings.operator.approves(call) {
        return Ok(Approval::new(Channel::Operator, question.digest().to_owned()));
    }
    match knowledge.approval {
        Some(approval) if approval.digest() == question.digest() => Ok(approval.clone()),
        Some(_) | None => Err(Box::new(match question::readable(&question) {
            Ok(()) => Ruling::Confirm(question),
            Err(refusal) => Ruling::Refuse(refusal),
        })),
    }
}

pub(super) fn arguments_question(policy: &Policy, rule: &Confirm, call: &Call, account: &str) -> Question {
    question::arguments(rule, call, &ask_call(call), &setting(policy, account))
}

pub(super) fn setting<'p>(policy: &'p Policy, account: &'p str) -> Setting<'p> {
    Setting {
        simulated: policy.settings.simulated,
        account,
        policy: &policy.sha256,
        key: &policy.settings.digest_key,
    }
}

/// Whether PAI is activated in the region (R-WS-46 to R-WS-51).
fn activated(rule: &Precheck, call: &Call, knowledge: &Knowledge<'_>, now: Timestamp) -> Ruling {
    let Some(region) = call.region() else { return Ruling::Pass };
    if knowledge.facts.activated(region, now, hours(rule.lifetime_hours.unwrap_or_default())).is_some() {
        return Ruling::Pass;
    }
    let request = ListProducts {
        region_id: region.into(),
        product_codes: Some(PAI.to_owned()),
        service_codes: None,
        verbose: Some(true),
    };
    match look(read(request), knowledge.evidence) {
        Read::Needed(call) => Ruling::Need(vec![call]),
        Read::Failed(refusal) => Ruling::Refuse(refusal),
        Read::Reply(reply) if is_activated(reply) => Ruling::Pass,
        Read::Reply(reply) => Ruling::Refuse(not_activated(&rule.id, region, reply)),
    }
}

fn pai(reply: &Value) -> Option<&Value> {
    reply
        .get("Products")?
        .as_array()?
        .iter()
        .find(|product| product.get("ProductCode").is_some_and(|code| code == PAI))
}

/// Whether a reply of ListProducts says that PAI is activated. A missing entry doesn't (R-WS-48).
pub(super) fn is_activated(reply: &Value) -> bool {
    pai(reply).and_then(|product| product.get("IsPurchased")) == Some(&Value::Bool(true))
}

fn not_activated(rule: &str, region: &str, reply: &Value) -> Refusal {
    let product = pai(reply);
    let may_buy =
        product.and_then(|product| product.get("HasPermissionToPurchase")) == Some(&Value::Bool(true));
    let link = product.and_then(|product| product.get("PurchaseUrl")).and_then(Value::as_str);
    let fix = match link.filter(|_| may_buy) {
        Some(link) => format!("show the user this link, wait until they say that PAI is activated, then call again: {link}"),
        None if may_buy => "ask the user to activate PAI in the console, then call again".to_owned(),
        None => "the account may not activate it: tell the user to contact the administrator of the primary account, or \
                 somebody with the permission pai:CreateOrder"
            .to_owned(),
    };
    Refusal::new(rule, format!("PAI is not activated in {region}"))
        .with(Fault::new("RegionId", "PAI is not activated in this region", fix))
        .retryable()
}

/// Whether the name is free, or taken by what is wanted (R-WS-57).
fn name_free(rule: &Precheck, request: &CreateWorkspace, evidence: &Evidence) -> Ruling {
    match standing(&rule.id, request, evidence) {
        Standing::Unknown(call) => Ruling::Need(vec![call]),
        Standing::Free => Ruling::Pass,
        Standing::Same(reply) => {
            match review::existing(
                reply,
                "a workspace of this name exists with these settings; nothing was created",
            ) {
                Some(existing) => Ruling::Answer(existing),
                None => Ruling::Refuse(Refusal::new("internal", "there is no tool to describe a workspace")),
            }
        }
        Standing::Refused(refusal) => Ruling::Refuse(refusal),
    }
}
