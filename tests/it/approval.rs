//! The approval page: a client that can't ask, a server that opens a browser, and a human who answers there.

use std::time::Duration;

use serde_json::{Value, json};
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpStream;

use crate::harness::human::Human;
use crate::harness::raw::Raw;
use crate::harness::world::*;
use crate::harness::{ERAS, Era, Home, PATIENCE, Session};

/// A browser that only remembers where it was sent.
const BROWSER: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/tests/data/approval/browser");
/// A server whose calls wait for the human for as long as a test does.
const WAITS: [&str; 4] = ["--browser", BROWSER, "--approval-wait", "600"];
/// A server whose calls wait as short as can be.
const HURRIES: [&str; 4] = ["--browser", BROWSER, "--approval-wait", "1"];

const NO_CHANNEL: &str = "this needs a human's yes, and the client has no way to ask for one";

/// The links that the browser was sent to.
fn links(home: &Home) -> Vec<String> {
    let links = std::fs::read_to_string(home.file("links")).unwrap_or_default();
    links.lines().map(str::to_owned).collect()
}

/// A page in the human's browser.
struct Tab {
    address: String,
    path: String,
}

impl Tab {
    /// The one that was opened as the `number`th, from 1, once it is.
    async fn opened(home: &Home, number: usize) -> Self {
        let open = async {
            loop {
                if let Some(link) = links(home).get(number - 1) {
                    return Self::at(link);
                }
                tokio::time::sleep(Duration::from_millis(5)).await;
            }
        };
        tokio::time::timeout(PATIENCE, open).await.expect("a page")
    }

    fn at(link: &str) -> Self {
        let (address, path) = link.strip_prefix("http://").unwrap().split_once('/').unwrap();
        assert!(address.starts_with("127.0.0.1:"), "{address}");
        Self { address: address.to_owned(), path: format!("/{path}") }
    }

    /// The status and the body of the answer to a request.
    async fn http(&self, method: &str, headers: &str, body: &str) -> (u16, String) {
        let mut stream = TcpStream::connect(&self.address).await.unwrap();
        let Self { address, path } = self;
        let length = body.len();
        let request = format!(
            "{method} {path} HTTP/1.1\r\nHost: {address}\r\nContent-Length: {length}\r\n{headers}\r\n{body}"
        );
        stream.write_all(request.as_bytes()).await.unwrap();
        let mut answer = String::new();
        tokio::time::timeout(PATIENCE, stream.read_to_string(&mut answer)).await.expect("an answer").unwrap();
        let (head, body) = answer.split_once("\r\n\r\n").unwrap();
        (head.split(' ').nth(1).unwrap().parse().unwrap(), body.to_owned())
    }

    async fn look(&self) -> (u16, String) {
        self.http("GET", "", "").await
    }

    async fn post(&self, token: &str, fields: &str) -> (u16, String) {
        let origin = &self.address;
        let headers =
            format!("Origin: http://{origin}\r\nContent-Type: application/x-www-form-urlencoded\r\n");
        self.http("POST", &headers, &format!("token={token}&{fields}")).await
    }

    /// Reads the page, fills its form in like this, and sends it. The page as it was read.
    async fn send(&self, fields: &str) -> String {
        let (status, page) = self.look().await;
        assert_eq!(status, 200, "{page}");
        let (status, answer) = self.post(token(&page), fields).await;
        assert_eq!(status, 200, "{answer}");
        page
    }
}

fn between<'t>(text: &'t str, before: &str, after: &str) -> &'t str {
    text.split_once(before).unwrap().1.split_once(after).unwrap().0
}

fn token(page: &str) -> &str {
    between(page, "name=\"token\" value=\"", "\"")
}

fn code(page: &str) -> &str {
    between(page, "<strong>", "</strong>")
}

async fn start(era: Era, flags: &[&[&str]]) -> Session {
    Session::start(Home::new(), era, &flags.concat(), Human::absent()).await
}

/// The confirmations in the record: channel and answer.
fn confirmations(home: &Home) -> Vec<(String, String)> {
    let text = |value: &Value| value.as_str().unwrap().to_owned();
    let record = home.record();
    let confirmations = record.iter().map(|line| &line["confirmation"]).filter(|said| !said.is_null());
    confirmations.map(|said| (text(&said["channel"]), text(&said["answer"]))).collect()
}

fn of_page(answer: &str) -> (String, String) {
    ("approval_page".to_owned(), answer.to_owned())
}

/// R-WS-44, R-WS-32: the region first, then exactly these arguments, each on a page of its own.
#[tokio::test]
async fn a_yes_in_the_browser_lets_one_create_through() {
    for era in ERAS {
        let session = start(era, &[&WAITS]).await;
        let human = async {
            let region =
                Tab::opened(&session.home, 1).await.send("decision=approve&region=cn-hangzhou").await;
            let arguments = Tab::opened(&session.home, 2).await.send("decision=approve").await;
            (region, arguments)
        };
        let call = session.call(CREATE_WORKSPACE, workspace("vision_team"));
        let (created, (region, arguments)) = tokio::join!(call, human);
        assert_ne!(created.unwrap()["Workspace ID"], "");
        assert!(region.contains("The agent asks for cn-hangzhou"), "{region}");
        assert!(
            arguments.contains("<li>WorkspaceName: <bdi>&quot;vision_team&quot;</bdi></li>"),
            "{arguments}"
        );
        assert_ne!(code(&region), code(&arguments));
        assert_eq!(session.home.count("CreateWorkspace"), 1);
        assert_eq!(links(&session.home).len(), 2);
        let said = confirmations(&session.home);
        assert!(said.iter().all(|said| *said == of_page("accept")), "{said:?}");
        let record = session.home.record();
        let decision = record.iter().find(|line| line["phase"] == "decision").unwrap();
        assert_eq!(decision["confirmation"]["channel"], "approval_page");
    }
}

/// R-WS-32
#[tokio::test]
async fn a_no_in_the_browser_sends_nothing() {
    let session = start(Era::Initialize, &[&WAITS, &["--region", REGION]]).await;
    let human = async { Tab::opened(&session.home, 1).await.send("decision=decline").await };
    let call = session.refused("arguments-confirmed", CREATE_WORKSPACE, workspace("vision_team"));
    let (refusal, _) = tokio::join!(call, human);
    assert_eq!(refusal["retryable"], false);
    assert_eq!(session.home.count("CreateWorkspace"), 0);
    assert_eq!(confirmations(&session.home), [of_page("decline")]);
}

/// R-PM-020, R-PM-022: what is destroyed is typed on the page as in a dialog.
#[tokio::test]
async fn what_destroys_takes_the_id_typed_on_the_page() {
    let session = start(Era::Initialize, &[&WAITS]).await;
    let human = async {
        let tab = Tab::opened(&session.home, 1).await;
        let (_, page) = tab.look().await;
        let (status, again) = tab.post(token(&page), "decision=approve&resource_id=sbx_666183990").await;
        assert_eq!((status, session.home.count("DeleteSandbox")), (422, 0), "{again}");
        tab.send("decision=approve&resource_id=sbx_676771626").await
    };
    let call = session.call("pyromind_delete_sandbox", json!({ "sandbox_id": "sbx_676771626" }));
    let (deleted, _) = tokio::join!(call, human);
    deleted.unwrap();
}

/// A call waits a while, says so, and the same call hears what was answered meanwhile: once.
#[tokio::test]
async fn a_late_answer_counts_for_the_same_call_once() {
    for era in ERAS {
        let session = start(era, &[&HURRIES, &["--region", REGION]]).await;
        let job = workspace("vision_team");
        let pending = session.refused("arguments-confirmed", CREATE_WORKSPACE, job.clone()).await;
        let tab = Tab::opened(&session.home, 1).await;
        let (_, page) = tab.look().await;
        let code = code(&page);
        let error = format!(
            "the user has been asked in their browser, under the code {code}, and hasn't answered yet"
        );
        assert_eq!((&pending["error"], &pending["retryable"]), (&json!(error), &json!(true)));
        assert_eq!(session.refused("arguments-confirmed", CREATE_WORKSPACE, job.clone()).await, pending);
        assert_eq!(session.home.count("CreateWorkspace"), 0);

        let (status, answered) = tab.post(token(&page), "decision=approve").await;
        assert_eq!(status, 200);
        assert!(
            answered.contains("if the agent makes the very same call within 5 minutes, once."),
            "{answered}"
        );
        assert_eq!(session.home.count("CreateWorkspace"), 0, "an answer makes no call by itself");

        let other = session.refused("arguments-confirmed", CREATE_WORKSPACE, workspace("other_team")).await;
        assert_eq!(other["retryable"], true, "a yes is to what was shown: {other}");
        assert_eq!(links(&session.home).len(), 2);
        assert_eq!(session.home.count("CreateWorkspace"), 0);

        session.call(CREATE_WORKSPACE, job.clone()).await.unwrap();
        assert_eq!(session.home.count("CreateWorkspace"), 1);
        assert_eq!(tab.post(token(&page), "decision=approve").await.0, 404);
        let [first, second, third, last, ..] = &confirmations(&session.home)[..] else { panic!() };
        assert_eq!([first, second, third], [&of_page("pending"), &of_page("pending"), &of_page("pending")]);
        assert_eq!(*last, of_page("accept"));
    }
}

/// R-WS-32: a yes is to one call: the same again is asked again, on another page.
#[tokio::test]
async fn a_yes_in_the_browser_counts_once() {
    let session = start(Era::Initialize, &[&WAITS, &["--region", REGION]]).await;
    session.call(LIST_WORKSPACES, here()).await.unwrap();
    session.call(LIST_IMAGES, here()).await.unwrap();
    let human = async {
        let tab = Tab::opened(&session.home, 1).await;
        let page = tab.send("decision=approve").await;
        let again = Tab::opened(&session.home, 2).await;
        assert_ne!(tab.post(token(&page), "decision=approve").await.0, 200);
        assert_eq!(again.post(token(&page), "decision=approve").await.0, 403, "the form of another question");
        again.send("decision=decline").await;
    };
    let calls = async {
        session.call(CREATE_JOB, job(VISION, PYTORCH)).await.unwrap();
        session.refused("arguments-confirmed", CREATE_JOB, job(VISION, PYTORCH)).await
    };
    tokio::join!(calls, human);
    assert_eq!(session.home.count("CreateJob"), 1);
}

/// R-WS-32: of two equal calls that wait for one page, one has its answer; the other is asked about for itself.
#[tokio::test]
async fn of_two_equal_calls_one_has_the_answer() {
    let session = start(Era::Initialize, &[&WAITS, &["--region", REGION]]).await;
    session.call(LIST_WORKSPACES, here()).await.unwrap();
    session.call(LIST_IMAGES, here()).await.unwrap();
    let asked = || {
        let record = session.home.record();
        record.iter().filter(|line| line["verdict"] == "asked").count()
    };
    let human = async {
        let first = Tab::opened(&session.home, 1).await;
        while asked() < 2 {
            tokio::time::sleep(Duration::from_millis(5)).await;
        }
        first.send("decision=approve").await;
        Tab::opened(&session.home, 2).await.send("decision=decline").await;
    };
    let call = || session.call(CREATE_JOB, job(VISION, PYTORCH));
    let (one, other, ()) = tokio::join!(call(), call(), human);
    assert!(one.is_ok() != other.is_ok(), "{one:?} {other:?}");
    assert_eq!(session.home.count("CreateJob"), 1);
    assert_eq!(links(&session.home).len(), 2);
}

/// The link is in the browser's command and nowhere else. The code is for everybody.
#[tokio::test]
async fn the_link_is_told_to_the_browser_alone() {
    let home = Home::new().with("ALIBABA_CLOUD_ACCESS_KEY_SECRET", "secret-of-the-launch");
    let mut raw = Raw::connect(home, &[&HURRIES[..], &["--log", "debug"]].concat());
    raw.introduce("2025-11-25", json!({})).await;
    let call = json!({ "name": LIST_WORKSPACES, "arguments": here(), "_meta": { "progressToken": 7 } });
    let progress = raw.ask(json!(1), "tools/call", call.clone()).await;
    assert_eq!(progress["params"]["progressToken"], 7, "{progress}");
    let pending = raw.receive().await;
    let tab = Tab::opened(&raw.home, 1).await;
    let (status, foreign) = tab.http("POST", "Origin: http://evil.example\r\n", "decision=approve").await;
    assert_eq!(status, 403, "{foreign}");
    let page = tab.send("decision=approve&region=cn-hangzhou").await;
    let told = format!("a page with the code {} waits in the user's browser for an answer", code(&page));
    assert_eq!(progress["params"]["message"], told);
    assert!(pending["result"]["content"][0]["text"].as_str().unwrap().contains(code(&page)), "{pending}");
    raw.ask(json!(2), "tools/call", call).await;
    let ended = raw.hang_up().await;
    assert!(ended.stderr.contains(&told), "{}", ended.stderr);
    let secret = tab.path.trim_start_matches('/');
    assert_eq!(secret.len(), 43);
    let record = std::fs::read_to_string(ended.home.record_file()).unwrap();
    assert!(record.contains("\"approval_page\""), "{record}");
    for (place, text) in [("stdout", &ended.stdout), ("stderr", &ended.stderr), ("record", &record)] {
        assert!(!text.contains(secret), "{place}");
        assert!(!text.contains(&tab.address), "{place}");
        assert!(!text.contains(token(&page)), "{place}");
    }
    let environment = std::fs::read_to_string(ended.home.file("browser-environment")).unwrap();
    assert!(environment.contains("HOME="), "{environment}");
    assert!(!environment.contains("secret-of-the-launch"), "a browser needs no keys: {environment}");
}

/// Nobody is asked on account of a call that was given up.
#[tokio::test]
async fn a_cancelled_call_withdraws_its_question() {
    let mut raw = Raw::connect(Home::new(), &WAITS);
    raw.introduce("2025-11-25", json!({})).await;
    let call = json!({ "name": LIST_WORKSPACES, "arguments": here() });
    raw.send(&json!({ "jsonrpc": "2.0", "id": 1, "method": "tools/call", "params": call })).await;
    let tab = Tab::opened(&raw.home, 1).await;
    let (_, page) = tab.look().await;
    raw.send(&json!({ "jsonrpc": "2.0", "method": "notifications/cancelled", "params": { "requestId": 1 } }))
        .await;
    let gone = async {
        while tab.look().await.0 != 404 {
            tokio::time::sleep(Duration::from_millis(5)).await;
        }
    };
    tokio::time::timeout(PATIENCE, gone).await.expect("the question is withdrawn");
    assert_eq!(tab.post(token(&page), "decision=approve&region=cn-hangzhou").await.0, 404);
    let ended = raw.hang_up().await;
    assert!(ended.home.calls().is_empty());
}

/// A server doesn't outlive its client, whatever waits in the browser.
#[tokio::test]
async fn a_server_ends_with_its_client_while_a_page_waits() {
    let mut raw = Raw::connect(Home::new(), &WAITS);
    raw.introduce("2025-11-25", json!({})).await;
    let call = json!({ "name": LIST_WORKSPACES, "arguments": here() });
    raw.send(&json!({ "jsonrpc": "2.0", "id": 1, "method": "tools/call", "params": call })).await;
    let tab = Tab::opened(&raw.home, 1).await;
    let ended = raw.hang_up().await;
    assert_eq!(ended.code, Some(0));
    assert!(TcpStream::connect(&tab.address).await.is_err());
    assert_eq!(confirmations(&ended.home), [of_page("cancel")]);
}

/// A client that can ask does: the page is for those that can't.
#[tokio::test]
async fn a_client_that_can_ask_is_asked_itself() {
    for era in ERAS {
        let session = Session::start(Home::new(), era, &WAITS, Human::agreeable()).await;
        session.call(LIST_WORKSPACES, here()).await.unwrap();
        assert_eq!(session.human.fields(), ["region"]);
        assert!(links(&session.home).is_empty());
    }
}

/// A browser that doesn't come up is no channel, and what an operator can do is said.
#[tokio::test]
async fn without_a_page_the_refusal_says_how_one_can_be_had() {
    let never = ["--approval-page", "never"];
    let broken = ["--browser", "/bin/false", "--approval-wait", "600"];
    let auto = ["--approval-page", "auto"];
    for (flags, why) in [(&never[..], "never"), (&broken, "a browser that fails"), (&auto, "no display")] {
        let session = start(Era::Initialize, &[flags]).await;
        let refusal = session.refused("region-confirmed", LIST_WORKSPACES, here()).await;
        assert_eq!(refusal["error"], NO_CHANNEL, "{why}");
        let fix = refusal["violations"][0]["fix"].as_str().unwrap();
        for way in ["--region cn-hangzhou", "--approval-page auto", "--browser"] {
            assert!(fix.contains(way), "{why}: {fix}");
        }
        assert!(session.home.calls().is_empty());
    }
    let home = Home::new();
    let ran = home.run(&["serve", "--browser", "/nowhere/browser"]);
    assert_eq!((ran.code, ran.stderr.contains("there is no such program")), (Some(2), true), "{ran:?}");
}

/// Without a flag, the platform's own command opens the page where there is a display.
#[cfg(target_os = "linux")]
#[tokio::test]
async fn a_display_and_xdg_open_are_enough() {
    for (display, opens) in [("DISPLAY", true), ("WAYLAND_DISPLAY", true), ("OTHER", false)] {
        let home = Home::new();
        std::fs::create_dir(home.file("bin")).unwrap();
        std::os::unix::fs::symlink(BROWSER, home.file("bin/xdg-open")).unwrap();
        let path = home.file("bin").to_str().unwrap().to_owned();
        let home = home.with("PATH", path).with(display, ":7");
        let flags = ["--approval-page", "auto", "--approval-wait", "1"];
        let session = Session::start(home, Era::Initialize, &flags, Human::absent()).await;
        let refusal = session.refused("region-confirmed", LIST_WORKSPACES, here()).await;
        assert_eq!(refusal["error"] != NO_CHANNEL, opens, "{display}: {refusal}");
        if opens {
            Tab::opened(&session.home, 1).await.send("decision=decline").await;
        }
    }
}
