"""A proxy on loopback that passes HTTP on byte for byte, and keeps what was asked."""

import contextlib
import dataclasses
import http.client
import http.server
import json
import threading
import urllib.parse


@dataclasses.dataclass
class Recorded:
    """One request."""

    method: str
    path: str  # As sent, still percent-encoded.
    query: list  # Decoded pairs, as sent.
    headers: dict  # Names in lower case.
    body: object  # Parsed JSON, or None without a body.
    status: int = 0  # What was answered.


class Recorder(http.server.ThreadingHTTPServer):
    """Listens on a free port. Host isn't rewritten, for it is signed."""

    daemon_threads = True

    def __init__(self, upstream):
        super().__init__(("127.0.0.1", 0), Handler)
        self.upstream = upstream
        self.address = f"127.0.0.1:{self.server_address[1]}"
        self.lock = threading.Lock()
        self.requests = []

    def taken(self):
        """The requests since the last time, in the order of their arrival."""
        with self.lock:
            requests, self.requests = self.requests, []
        return requests


class Handler(http.server.BaseHTTPRequestHandler):
    """One connection."""

    protocol_version = "HTTP/1.1"

    def pass_on(self):
        body = self.rfile.read(int(self.headers.get("content-length", 0)))
        if "transfer-encoding" in self.headers:
            raise NotImplementedError("a request in chunks")
        path, _, query = self.path.partition("?")
        recorded = Recorded(
            method=self.command,
            path=path,
            query=urllib.parse.parse_qsl(query, keep_blank_values=True, strict_parsing=bool(query)),
            headers={name.lower(): value for name, value in self.headers.items()},
            body=json.loads(body) if body else None,
        )
        with self.server.lock:
            self.server.requests.append(recorded)

        upstream = http.client.HTTPConnection(self.server.upstream, timeout=30)
        with contextlib.closing(upstream):
            upstream.putrequest(self.command, self.path, skip_host=True, skip_accept_encoding=True)
            for name, value in self.headers.items():
                upstream.putheader(name, value)
            upstream.endheaders(body)
            answer = upstream.getresponse()
            answered = answer.read()
        recorded.status = answer.status
        self.send_response_only(answer.status, answer.reason)
        for name, value in answer.getheaders():
            if name.lower() not in ("transfer-encoding", "connection", "content-length"):
                self.send_header(name, value)
        self.send_header("content-length", str(len(answered)))
        self.end_headers()
        self.wfile.write(answered)

    do_GET = do_POST = do_PUT = do_DELETE = do_PATCH = pass_on

    def log_message(self, format, *arguments):
        """Nothing: what matters is recorded."""


@contextlib.contextmanager
def recording(upstream):
    """A Recorder in front of `upstream` (`host:port`) until the block ends."""
    recorder = Recorder(upstream)
    threading.Thread(target=recorder.serve_forever, daemon=True).start()
    try:
        yield recorder
    finally:
        recorder.shutdown()
        recorder.server_close()
