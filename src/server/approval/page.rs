//! The pages themselves: HTML that needs no script and fetches nothing.
//!
//! A question is shown in the words of every other channel, line for line; what this adds is how the lines look. All
//! that isn't fixed here is escaped, and the policy that goes with each page lets nothing run and nothing load.

use std::fmt::{self, Write};

use crate::policy::consent::{Form, Question, Reply};
use crate::policy::grant::FURTHER;

const STYLE: &str = include_str!("style.css");

/// A page and the nonce of its style.
pub(super) struct Html {
    pub(super) text: String,
    pub(super) nonce: String,
}

/// What is wrong with a form that came back, for the human who sent it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Mistake {
    /// No region was chosen.
    NoRegion,
    /// Another id was typed than the one in the question, or none.
    OtherId,
    /// The further calls aren't a whole number that is offered.
    FurtherCalls,
}

/// Text that can't be markup.
struct Plain<'t>(&'t str);

impl fmt::Display for Plain<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.chars().try_for_each(|character| match character {
            '&' => f.write_str("&amp;"),
            '<' => f.write_str("&lt;"),
            '>' => f.write_str("&gt;"),
            '"' => f.write_str("&quot;"),
            '\'' => f.write_str("&#39;"),
            character => f.write_char(character),
        })
    }
}

/// The page of an open question.
pub(super) fn question(
    question: &Question,
    code: &str,
    token: &str,
    minutes: u64,
    mistake: Option<Mistake>,
    nonce: String,
) -> Html {
    let (title, approve) = match question.form() {
        Form::Region { .. } => ("Choose a region", "Use this region"),
        Form::Approve | Form::TypeId { .. } => ("Approve this call?", "Approve exactly this call"),
    };
    let code = Plain(code);
    let mut body = format!(
        "<header><div><p class=\"name\">redline-mcp asks you to decide</p><h1>{title}</h1></div>\
         <p class=\"code\"><span>Code</span><strong>{code}</strong></p></header>\n\
         <p class=\"quiet\">An agent wants to make this call, and it waits for a human. The agent is told the same \
         code, so that you can tell which call this page is about; the code proves nothing else. Nothing happens \
         unless you agree.</p>\n"
    );
    message(&mut body, question.message());
    let (error, describes) = match mistake {
        None => ("", ""),
        Some(Mistake::NoRegion) => {
            ("<p class=\"error\" id=\"error\" role=\"alert\">Choose a region first, or decline.</p>", "")
        }
        Some(Mistake::OtherId) => (
            "<p class=\"error\" id=\"error\" role=\"alert\">That isn't the id in the question. Nothing was sent.</p>",
            " aria-invalid=\"true\" aria-describedby=\"error\"",
        ),
        Some(Mistake::FurtherCalls) => (
            "<p class=\"error\" id=\"error\" role=\"alert\">Further calls are a whole number that is offered, or \
             nothing. Nothing was sent.</p>",
            " aria-invalid=\"true\"",
        ),
    };
    let _ = write!(
        body,
        "<form method=\"post\" autocomplete=\"off\">{error}<input type=\"hidden\" name=\"token\" value=\"{}\">",
        Plain(token)
    );
    match question.form() {
        Form::Approve => {}
        Form::Region { options } => {
            body.push_str("<fieldset><legend>Region</legend>");
            for (id, name) in options {
                let (id, name) = (Plain(id), Plain(name));
                let _ = write!(
                    body,
                    "<label class=\"choice\"><input type=\"radio\" name=\"region\" value=\"{id}\" required>\
                     <b>{id}</b> <span>{name}</span></label>"
                );
            }
            body.push_str("</fieldset>");
        }
        Form::TypeId { argument, .. } => {
            let argument = Plain(argument);
            let _ = write!(
                body,
                "<label class=\"label\" for=\"id\">Type the {argument} to approve exactly this call</label>\
                 <input type=\"text\" id=\"id\" name=\"resource_id\" required autocapitalize=\"none\" \
                 spellcheck=\"false\"{describes}>"
            );
        }
    }
    if let Some(offer) = question.offer() {
        let (text, most) = (Plain(offer.text()), offer.calls());
        let _ = write!(
            body,
            "<label class=\"label\" for=\"further\">Further calls (optional)</label>\
             <p class=\"quiet\" id=\"offer\">{text}</p>\
             <input type=\"number\" id=\"further\" name=\"{FURTHER}\" min=\"0\" max=\"{most}\" step=\"1\" \
             aria-describedby=\"offer\"{describes}>"
        );
    }
    let _ = write!(
        body,
        "<div class=\"buttons\"><button class=\"approve\" name=\"decision\" value=\"approve\">{approve}</button>\
         <button class=\"decline\" name=\"decision\" value=\"decline\" formnovalidate>Decline</button></div></form>\n\
         <p class=\"quiet\">Your answer counts once. This page takes it for {minutes} minutes from when the agent \
         asked; after that the agent has to ask anew.</p>\n"
    );
    html(title, &body, nonce)
}

/// The page of a question that was answered.
pub(super) fn answered(reply: &Reply, waits: bool, minutes: u64, nonce: String) -> Html {
    let (title, said) = match reply {
        Reply::Accepted(_) if waits => ("Answered", "The call that waits for you hears it now.".to_owned()),
        Reply::Accepted(_) => (
            "Answered",
            format!(
                "The call no longer waits. Your answer counts if the agent makes the very same call within {minutes} \
                 minutes, once."
            ),
        ),
        Reply::Declined
        | Reply::Cancelled
        | Reply::TimedOut
        | Reply::Pending { .. }
        | Reply::Crowded
        | Reply::Malformed
        | Reply::NoChannel
        | Reply::Replayed
        | Reply::Tampered
        | Reply::Expired => {
            ("Declined", "Nothing is sent, and the agent is told that you declined.".to_owned())
        }
    };
    notice(title, &format!("{said} You can close this page."), nonce)
}

/// A page that says one thing. Both texts are fixed, and hold nothing that anybody sent.
pub(super) fn notice(title: &str, text: &str, nonce: String) -> Html {
    let body = format!(
        "<header><div><p class=\"name\">redline-mcp</p><h1>{}</h1></div></header>\n<p>{}</p>\n",
        Plain(title),
        Plain(text)
    );
    html(title, &body, nonce)
}

fn html(title: &str, body: &str, nonce: String) -> Html {
    let title = Plain(title);
    let text = format!(
        "<!DOCTYPE html>\n<html lang=\"en\"><head><meta charset=\"utf-8\">\
         <meta name=\"viewport\" content=\"width=device-width, initial-scale=1\">\
         <title>{title} - redline-mcp</title>\n<style nonce=\"{nonce}\">\n{STYLE}</style></head>\n\
         <body><main>\n{body}</main></body></html>\n"
    );
    Html { text, nonce }
}

/// What part of a list a line belongs to.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Within {
    Nothing,
    Facts,
    List,
}

/// The question's lines: facts, headings and lists as they are written, the first line in front.
fn message(body: &mut String, message: &str) {
    let mut within = Within::Nothing;
    let mut section = false;
    let mut first = true;
    for line in message.lines() {
        let fact = line.split_once(": ").filter(|(name, _)| name.chars().all(char::is_alphabetic));
        let next = match (line.strip_prefix("- "), fact) {
            (Some(_), _) => Within::List,
            (None, Some(_)) if !first => Within::Facts,
            (None, _) => Within::Nothing,
        };
        if next != within {
            body.push_str(closing(within));
            body.push_str(match next {
                Within::Nothing => "",
                Within::Facts => "<dl>",
                Within::List => "<ul>",
            });
            within = next;
        }
        match (line.strip_prefix("- "), fact) {
            (Some(item), _) => item_of(body, item),
            (None, Some((name, value))) if !first => {
                let class = if line == "Cloud: LIVE" { " class=\"live\"" } else { "" };
                let _ = write!(body, "<dt>{}:</dt> <dd{class}>{}</dd>", Plain(name), Plain(value));
            }
            (None, _) if line.is_empty() => {}
            (None, _) => match line.strip_suffix(':') {
                Some(title) => {
                    body.push_str(if section { "</section>\n" } else { "\n" });
                    let class = match title {
                        "Mind" | "Warning" => " class=\"mind\"",
                        "Arguments" => " class=\"arguments\"",
                        _ => "",
                    };
                    let _ = write!(body, "<section{class}><h2>{}:</h2>", Plain(title));
                    section = true;
                }
                None => {
                    let class = match first {
                        true if line.starts_with("Destroy: ") => " class=\"lead destroys\"",
                        true => " class=\"lead\"",
                        false => "",
                    };
                    let _ = writeln!(body, "<p{class}>{}</p>", Plain(line));
                }
            },
        }
        first = first && line.is_empty();
    }
    body.push_str(closing(within));
    body.push_str(if section { "</section>\n" } else { "\n" });
}

const fn closing(within: Within) -> &'static str {
    match within {
        Within::Nothing => "",
        Within::Facts => "</dl>\n",
        Within::List => "</ul>",
    }
}

/// A line of a list. A quoted value is set apart, so that letters that run from right to left stay within it.
fn item_of(body: &mut String, item: &str) {
    let _ = match item.split_once(": \"") {
        Some((path, value)) => {
            writeln!(body, "<li>{}: <bdi>&quot;{}</bdi></li>", Plain(path), Plain(value))
        }
        None => writeln!(body, "<li>{}</li>", Plain(item)),
    };
}
