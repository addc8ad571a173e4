//! What PAI-DLC says of job templates, with what to do about it (R-DLC-85, R-DLC-86). Codes: the PAI-DLC skill.

use crate::error::Fault;
use crate::policy::verdict::CloudError;
use crate::spec::Call;

/// The code, our rule, the argument, what is wrong and the fix.
type Row = (&'static str, &'static str, &'static str, &'static str, &'static str);

const KNOWN: [Row; 5] = [
    (
        "InvalidParameter.TemplateName",
        "cloud-refused",
        "TemplateName",
        "the cloud doesn't take this name",
        "give a name of 1 to 1024 characters",
    ),
    (
        "InvalidParameter.Content",
        "cloud-refused",
        "Content",
        "the cloud doesn't take this content",
        "give one JSON object with JobType and JobSpecs; read the cloud's message for the field",
    ),
    (
        "InvalidParameter.Constraints",
        "cloud-refused",
        "Constraints",
        "the cloud doesn't take these constraints",
        "use locked, overridable or required only, and give Content with them",
    ),
    (
        "NotFound.JobTemplateVersion",
        "cloud-not-found",
        "Version",
        "this template has no such version",
        "call dlc_get_job_template with Version all and use a version that it returns",
    ),
    (
        "NotFound.JobTemplate",
        "cloud-not-found",
        "TemplateId",
        "there is no such job template",
        "call dlc_list_job_templates to see which there are; ask the user which one they mean",
    ),
];

/// What is said of `error`, if it is about a template.
pub(super) fn diagnose(error: &CloudError, call: &Call) -> Option<(&'static str, String, Fault, bool)> {
    let (_, rule, argument, text, fix) = KNOWN.into_iter().find(|(code, ..)| *code == error.code)?;
    // A job names the version of its template under another name.
    let names = [argument, if argument == "Version" { "TemplateVersion" } else { argument }];
    let given = names.into_iter().find(|name| call.tool().request().field(name).is_some());
    Some((rule, text.to_owned(), Fault::new(given.unwrap_or_default(), text, fix), false))
}
