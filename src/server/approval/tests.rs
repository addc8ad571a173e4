//! The door and what is behind it, without a socket: what a request gets, and what it changes.

mod page;

use bytes::Bytes;
use http::header::HOST;
use http::{Request, Response, StatusCode};
use serde_json::{Value, json};

use super::door::Door;
use super::questions::{MOST, Secret};
use super::*;
use crate::gateway::{Peer, Request as Call, Step};
use crate::server::tests::gateway;

const AT: &str = "127.0.0.1:7431";
const ORIGIN: &str = "http://127.0.0.1:7431";
const SECOND: Duration = Duration::from_secs(1);

/// The question that a call raises.
async fn question(tool: &str, arguments: Value) -> Question {
    let state = tempfile::tempdir().unwrap();
    let gateway = gateway(state.path());
    let call = Call {
        tool: tool.to_owned(),
        arguments: arguments.as_object().unwrap().clone(),
        scope: gateway.new_scope(),
        answer: None,
        peer: Peer::default(),
    };
    match gateway.step(call).await {
        Ok(Step::Ask(question)) => question,
        other => panic!("no question: {other:?}"),
    }
}

async fn of_region() -> Question {
    question("aiworkspace_list_workspaces", json!({ "RegionId": "cn-hangzhou" })).await
}

async fn of_creation(name: &str) -> Question {
    let resources = json!({ "cpu": 4, "memory": 16, "gpu": 0 });
    let sandbox = json!({ "name": name, "sandbox_type": "cpu-sandbox", "resource_config": resources });
    question("pyromind_create_sandbox", sandbox).await
}

async fn of_deletion(id: &str) -> Question {
    question("pyromind_delete_sandbox", json!({ "sandbox_id": id })).await
}

/// A human with a browser, and the instant that it is.
struct Human {
    shared: Shared,
    now: Instant,
}

/// An answer as a browser sees it.
struct Seen {
    status: u16,
    head: http::HeaderMap,
    text: String,
}

impl From<Response<Bytes>> for Seen {
    fn from(response: Response<Bytes>) -> Self {
        let (head, body) = response.into_parts();
        let text = String::from_utf8(body.to_vec()).unwrap();
        Self { status: head.status.as_u16(), head: head.headers, text }
    }
}

impl Human {
    fn new() -> Self {
        Self { shared: Shared::new(LIFETIMES), now: Instant::now() }
    }

    fn put(&self, question: &Question) -> Put {
        self.shared.lock().put(question, self.now).unwrap()
    }

    /// Puts a question that wasn't asked before.
    fn asked(&self, question: &Question) -> (Place, Secret) {
        match self.put(question) {
            Put::New(place, link) => (place, link),
            Put::Answered(_) | Put::Open(_) | Put::Crowded => panic!("it is no new question"),
        }
    }

    fn taken(&self, place: &Place) -> Option<Reply> {
        self.shared.lock().take(place.number, self.now)
    }

    fn request(&self, request: http::request::Builder, body: &str) -> Seen {
        let request = request.body(Some(Bytes::from(body.to_owned()))).unwrap();
        Door { host: AT, shared: &self.shared }.answer(&request, self.now).into()
    }

    fn get(&self, link: &str) -> Seen {
        self.request(Request::get(format!("/{link}")).header(HOST, AT), "")
    }

    fn post(&self, link: &str, body: &str) -> Seen {
        self.request(form(link), body)
    }

    /// The token in the form behind a link.
    fn token(&self, link: &Secret) -> String {
        let text = self.get(link.reveal()).text;
        let (_, rest) = text.split_once("name=\"token\" value=\"").unwrap();
        rest.split_once('"').unwrap().0.to_owned()
    }

    /// Opens the page and sends its form with these further fields.
    fn sends(&self, link: &Secret, fields: &str) -> Seen {
        self.post(link.reveal(), &format!("token={}&{fields}", self.token(link)))
    }
}

/// What a browser sends with the form of the page.
fn form(link: &str) -> http::request::Builder {
    let request = Request::post(format!("/{link}")).header(HOST, AT).header("origin", ORIGIN);
    request.header("content-type", "application/x-www-form-urlencoded")
}

#[tokio::test]
async fn a_page_shows_the_question_and_nothing_can_run_or_load_on_it() {
    let human = Human::new();
    let (place, link) = human.asked(&of_region().await);
    let seen = human.get(link.reveal());
    assert_eq!(seen.status, 200);
    assert!(seen.text.contains(&place.code), "{}", seen.text);
    assert!(seen.text.contains("The agent asks for cn-hangzhou"), "{}", seen.text);
    assert!(seen.text.contains("<dt>Cloud:</dt> <dd>simulated, nothing real happens</dd>"), "{}", seen.text);
    assert!(!seen.text.contains(link.reveal()), "the page needs no link to itself");
    let (_, nonce) = seen.text.split_once("<style nonce=\"").unwrap();
    let nonce = nonce.split_once('"').unwrap().0;
    let policy = format!(
        "default-src 'none'; style-src 'nonce-{nonce}'; form-action 'self'; frame-ancestors 'none'; base-uri 'none'"
    );
    for (name, value) in [
        ("content-security-policy", policy.as_str()),
        ("content-type", "text/html; charset=utf-8"),
        ("cache-control", "no-store"),
        ("referrer-policy", "same-origin"),
        ("x-content-type-options", "nosniff"),
        ("x-frame-options", "DENY"),
        ("cross-origin-opener-policy", "same-origin"),
        ("cross-origin-resource-policy", "same-origin"),
    ] {
        assert_eq!(seen.head[name], value);
    }
    for foreign in ["<script", "http:", "https:", "src=", "url(", "@import", "checked>", "autofocus"] {
        assert!(!seen.text.contains(foreign), "{foreign}");
    }
    let again = human.get(link.reveal()).text;
    assert!(!again.contains(nonce), "a nonce is used once");
}

/// R-WS-45
#[tokio::test]
async fn a_region_is_chosen_and_none_is_preselected() {
    let human = Human::new();
    let (place, link) = human.asked(&of_region().await);
    let text = human.get(link.reveal()).text;
    assert!(text.contains("<input type=\"radio\" name=\"region\" value=\"cn-hangzhou\" required>"), "{text}");
    assert_eq!(text.matches(" checked").count(), 0);
    let seen = human.sends(&link, "decision=approve");
    assert_eq!(seen.status, 422);
    assert!(seen.text.contains("Choose a region first, or decline."), "{}", seen.text);
    assert_eq!(human.sends(&link, "decision=approve&region=evil.example").status, 403);
    assert_eq!(human.taken(&place), None);
    assert_eq!(human.sends(&link, "decision=approve&region=cn-shanghai").status, 200);
    assert_eq!(human.taken(&place), Some(Reply::Accepted(json!({ "region": "cn-shanghai" }))));
}

#[tokio::test]
async fn an_approval_is_the_button_that_says_so() {
    let human = Human::new();
    let (place, link) = human.asked(&of_creation("ppo").await);
    for fields in ["decision=yes", "decision=", "decision=Approve", "approve=true", "decision=approve&more=1"]
    {
        assert_eq!(human.sends(&link, fields).status, 403, "{fields}");
    }
    assert_eq!(human.sends(&link, "decision=approve&decision=approve").status, 403);
    assert_eq!(human.taken(&place), None);
    let seen = human.sends(&link, "decision=approve");
    assert_eq!(seen.status, 200);
    assert!(seen.text.contains("The call that waits for you hears it now."), "{}", seen.text);
    assert_eq!(human.taken(&place), Some(Reply::Accepted(json!({ "approve": true }))));
}

/// An agent that asks and cancels opens sixteen pages a minute and no more.
#[tokio::test]
async fn pages_are_opened_at_a_human_pace() {
    let mut human = Human::new();
    let question = of_creation("ppo").await;
    for _ in 0..MOST {
        let (place, _) = human.asked(&question);
        human.shared.lock().withdraw(place.number);
    }
    assert!(matches!(human.put(&question), Put::Crowded));
    human.now += 60 * SECOND;
    human.asked(&question);
}

#[tokio::test]
async fn further_calls_are_let_through_only_in_the_number_that_is_offered() {
    let human = Human::new();
    let (place, link) = human.asked(&of_creation("ppo").await);
    let text = human.get(link.reveal()).text;
    assert!(text.contains(
        "<input type=\"number\" id=\"further\" name=\"further_calls\" min=\"0\" max=\"10\" step=\"1\""
    ));
    for number in ["11", "-1", "1.5", "all", "99999999999"] {
        let seen = human.sends(&link, &format!("decision=approve&further_calls={number}"));
        assert_eq!(seen.status, 422, "{number}");
        assert!(seen.text.contains("Further calls are a whole number that is offered"), "{}", seen.text);
    }
    assert_eq!(human.taken(&place), None);
    assert_eq!(human.sends(&link, "decision=approve&further_calls=+3").status, 200);
    assert_eq!(human.taken(&place), Some(Reply::Accepted(json!({ "approve": true, "further_calls": 3 }))));
    // The field may be left empty; what has no such field takes none.
    let (place, link) = human.asked(&of_creation("ppo").await);
    assert_eq!(human.sends(&link, "decision=approve&further_calls=").status, 200);
    assert_eq!(human.taken(&place), Some(Reply::Accepted(json!({ "approve": true }))));
    let (place, link) = human.asked(&of_deletion("sbx_676771626").await);
    assert!(!human.get(link.reveal()).text.contains("further_calls"));
    let fields = "decision=approve&resource_id=sbx_676771626&further_calls=1";
    assert_eq!(human.sends(&link, fields).status, 403);
    assert_eq!(human.taken(&place), None);
}

/// R-PM-022: the id is typed, not offered.
#[tokio::test]
async fn what_destroys_takes_the_id_typed() {
    let human = Human::new();
    let (place, link) = human.asked(&of_deletion("sbx_676771626").await);
    let text = human.get(link.reveal()).text;
    assert!(
        text.contains("<label class=\"label\" for=\"id\">Type the sandbox_id to approve exactly this call")
    );
    for fields in
        ["decision=approve", "decision=approve&resource_id=", "decision=approve&resource_id=sbx_67677162"]
    {
        let seen = human.sends(&link, fields);
        assert_eq!(seen.status, 422, "{fields}");
        assert!(seen.text.contains("aria-invalid=\"true\" aria-describedby=\"error\""), "{}", seen.text);
    }
    assert_eq!(human.taken(&place), None);
    assert_eq!(human.sends(&link, "decision=approve&resource_id=+sbx_676771626").status, 200);
    let typed = json!({ "resource_id": " sbx_676771626" });
    assert_eq!(human.taken(&place), Some(Reply::Accepted(typed)));
}

#[tokio::test]
async fn a_decline_needs_nothing_else() {
    let human = Human::new();
    for question in [of_region().await, of_creation("ppo").await, of_deletion("sbx_676771626").await] {
        let (place, link) = human.asked(&question);
        let seen = human.sends(&link, "decision=decline");
        assert_eq!(seen.status, 200);
        assert!(seen.text.contains("<h1>Declined</h1>"), "{}", seen.text);
        assert_eq!(human.taken(&place), Some(Reply::Declined));
    }
}

#[tokio::test]
async fn an_answer_counts_once() {
    let human = Human::new();
    let (place, link) = human.asked(&of_creation("ppo").await);
    let body = format!("token={}&decision=decline", human.token(&link));
    assert_eq!(human.post(link.reveal(), &body).status, 200);
    let changed = body.replace("decline", "approve");
    let seen = human.post(link.reveal(), &changed);
    assert_eq!(seen.status, 410);
    assert!(seen.text.contains("Answered already"), "{}", seen.text);
    assert_eq!(human.taken(&place), Some(Reply::Declined));
    assert_eq!(human.taken(&place), None);
    assert_eq!(human.post(link.reveal(), &changed).status, 404);
    assert_eq!(human.get(link.reveal()).status, 404);
}

#[tokio::test]
async fn a_form_without_its_own_token_is_not_taken() {
    let human = Human::new();
    let (place, link) = human.asked(&of_creation("ppo").await);
    let (other, other_link) = human.asked(&of_creation("other").await);
    let (own, foreign) = (human.token(&link), human.token(&other_link));
    let cut = own.split_at(own.len() - 1).0;
    for body in [
        "decision=approve".to_owned(),
        "token=&decision=approve".to_owned(),
        format!("token={cut}&decision=approve"),
        format!("token={foreign}&decision=approve"),
        format!("token={}&decision=approve", place.code),
        format!("token={}&decision=approve", link.reveal()),
        format!("token={own}&token={own}&decision=approve"),
    ] {
        assert_eq!(human.post(link.reveal(), &body).status, 403, "{body}");
    }
    assert_eq!((human.taken(&place), human.taken(&other)), (None, None));
    assert_eq!(human.post(link.reveal(), &format!("token={own}&decision=approve")).status, 200);
}

#[tokio::test]
async fn only_a_link_leads_to_its_question() {
    let human = Human::new();
    let (place, link) = human.asked(&of_creation("ppo").await);
    let token = human.token(&link);
    let body = format!("token={token}&decision=approve");
    let short = link.reveal().split_at(42).0;
    let lower = link.reveal().to_lowercase();
    let longer = format!("{}A", link.reveal());
    for guess in ["", "favicon.ico", &place.code, &token, short, &lower, &longer] {
        assert_eq!(human.get(guess).status, 404, "{guess}");
        assert_eq!(human.post(guess, &body).status, 404, "{guess}");
    }
    assert_eq!(human.taken(&place), None);
}

#[tokio::test]
async fn a_request_to_another_name_finds_nothing() {
    let human = Human::new();
    let (place, link) = human.asked(&of_creation("ppo").await);
    let body = format!("token={}&decision=approve", human.token(&link));
    let path = format!("/{}", link.reveal());
    for host in ["evil.example:7431", "localhost:7431", "127.0.0.1", "127.0.0.1:7432", "[::1]:7431", ""] {
        let seen = human.request(Request::get(&path).header(HOST, host), "");
        assert_eq!(seen.status, 421, "{host}");
        assert!(!seen.text.contains(&place.code));
        let post = Request::post(&path).header(HOST, host).header("origin", format!("http://{host}"));
        let post = post.header("content-type", "application/x-www-form-urlencoded");
        assert_eq!(human.request(post, &body).status, 421, "{host}");
    }
    assert_eq!(human.request(Request::get(&path), "").status, 421);
    assert_eq!(human.request(form(link.reveal()).header(HOST, AT), &body).status, 421);
    let elsewhere = Request::get(format!("http://evil.example{path}")).header(HOST, AT);
    assert_eq!(human.request(elsewhere, "").status, 421);
    assert_eq!(human.taken(&place), None);
}

#[tokio::test]
async fn an_answer_from_another_origin_is_not_taken() {
    let human = Human::new();
    let (place, link) = human.asked(&of_creation("ppo").await);
    let body = format!("token={}&decision=approve", human.token(&link));
    let post = || {
        let request = Request::post(format!("/{}", link.reveal())).header(HOST, AT);
        request.header("content-type", "application/x-www-form-urlencoded")
    };
    assert_eq!(human.request(post(), &body).status, 403, "none");
    for origin in [
        "null",
        "",
        "http://evil.example",
        "http://127.0.0.1",
        "http://127.0.0.1:7432",
        "https://127.0.0.1:7431",
        "http://localhost:7431",
        "HTTP://127.0.0.1:7431",
    ] {
        assert_eq!(human.request(post().header("origin", origin), &body).status, 403, "{origin}");
    }
    let two = post().header("origin", ORIGIN).header("origin", ORIGIN);
    assert_eq!(human.request(two, &body).status, 403);
    assert_eq!(human.taken(&place), None);
}

#[tokio::test]
async fn only_a_form_of_the_right_type_and_size_is_read() {
    let human = Human::new();
    let (place, link) = human.asked(&of_creation("ppo").await);
    let body = format!("token={}&decision=approve", human.token(&link));
    for kind in ["text/plain", "multipart/form-data; boundary=x", "application/json", ""] {
        let request = Request::post(format!("/{}", link.reveal())).header(HOST, AT).header("origin", ORIGIN);
        assert_eq!(human.request(request.header("content-type", kind), &body).status, 403, "{kind}");
    }
    let unread = form(link.reveal()).body(None).unwrap();
    let seen = Door { host: AT, shared: &human.shared }.answer(&unread, human.now);
    assert_eq!(seen.status(), StatusCode::FORBIDDEN);
    assert_eq!(human.taken(&place), None);
}

/// Previews and prefetches look at links, and add what they like.
#[tokio::test]
async fn looking_never_answers() {
    let human = Human::new();
    let (place, link) = human.asked(&of_creation("ppo").await);
    let path = format!("/{}?token={}&decision=approve", link.reveal(), human.token(&link));
    for method in ["GET", "HEAD", "OPTIONS", "PUT", "PATCH", "DELETE", "TRACE", "CONNECT", "APPROVE"] {
        let request = Request::builder().method(method).uri(&path).header(HOST, AT).header("origin", ORIGIN);
        let request = request.header("content-type", "application/x-www-form-urlencoded");
        let seen = human.request(request, "decision=approve");
        let looks = ["GET", "HEAD"].contains(&method);
        assert_eq!(seen.status, if looks { 200 } else { 405 }, "{method}");
        assert_eq!(seen.head.get("allow").is_some(), !looks, "{method}");
    }
    assert_eq!(human.post(&path, "").status, 403);
    assert_eq!(human.taken(&place), None);
    assert_eq!(human.sends(&link, "decision=approve").status, 200);
}

#[tokio::test]
async fn a_question_ends_and_so_does_its_answer() {
    let mut human = Human::new();
    let (place, link) = human.asked(&of_creation("ppo").await);
    let body = format!("token={}&decision=approve", human.token(&link));
    human.now += LIFETIMES.open - SECOND;
    assert_eq!(human.get(link.reveal()).status, 200);
    human.now += SECOND;
    assert_eq!(human.get(link.reveal()).status, 404);
    assert_eq!(human.post(link.reveal(), &body).status, 404);
    assert_eq!(human.taken(&place), None);

    for (late, expected) in [(SECOND, Some(Reply::Declined)), (Duration::ZERO, None)] {
        let (place, link) = human.asked(&of_creation("ppo").await);
        assert_eq!(human.sends(&link, "decision=decline").status, 200);
        human.now += LIFETIMES.kept - late;
        assert_eq!(human.taken(&place), expected);
    }
}

/// The same call made again hears what was answered meanwhile, once.
#[tokio::test]
async fn an_answer_waits_for_the_same_question_put_again() {
    let human = Human::new();
    let (question, other) = (of_creation("ppo").await, of_creation("other").await);
    let (place, link) = human.asked(&question);
    human.shared.lock().leave(place.number);
    let seen = human.sends(&link, "decision=approve");
    assert!(seen.text.contains("makes the very same call within 5 minutes, once."), "{}", seen.text);
    let (_, other_link) = human.asked(&other);
    assert_ne!(other_link.reveal(), link.reveal());
    assert!(
        matches!(human.put(&question), Put::Answered(Reply::Accepted(yes)) if yes == json!({ "approve": true }))
    );
    let (again, _) = human.asked(&question);
    assert_ne!(again, place);
}

#[tokio::test]
async fn a_page_that_nobody_saw_is_opened_again_under_another_link() {
    let human = Human::new();
    let question = of_creation("ppo").await;
    let (place, first) = human.asked(&question);
    assert!(matches!(human.put(&question), Put::Open(open) if open == place), "one call waits already");
    human.shared.lock().leave(place.number);
    human.shared.lock().leave(place.number);
    let (again, second) = human.asked(&question);
    assert_eq!(again, place);
    assert_eq!((human.get(first.reveal()).status, human.get(second.reveal()).status), (404, 200));
    human.shared.lock().leave(place.number);
    assert!(matches!(human.put(&question), Put::Open(open) if open == place), "somebody has seen it");
}

#[tokio::test]
async fn a_question_that_no_call_waits_for_is_withdrawn() {
    let human = Human::new();
    let question = of_creation("ppo").await;
    let (place, link) = human.asked(&question);
    assert!(matches!(human.put(&question), Put::Open(_)));
    human.shared.lock().withdraw(place.number);
    assert_eq!(human.get(link.reveal()).status, 200, "another call waits");
    human.shared.lock().withdraw(place.number);
    assert_eq!(human.get(link.reveal()).status, 404);
    let (again, _) = human.asked(&question);
    human.shared.lock().withdraw(place.number);
    assert_eq!(human.shared.lock().shown(again.number), Some(false), "a late word means the old question");
}

#[tokio::test]
async fn questions_that_wait_are_bounded() {
    let mut human = Human::new();
    for number in 0..MOST {
        human.asked(&of_creation(&format!("sandbox-{number}")).await);
    }
    let one_more = of_creation("one-more").await;
    assert!(matches!(human.put(&one_more), Put::Crowded));
    human.now += LIFETIMES.open;
    human.asked(&one_more);
}
