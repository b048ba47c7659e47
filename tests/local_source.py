"""A source of data on this machine: answers in the shapes of FRED, and a stand-in for yfinance."""

from __future__ import annotations

import contextlib
import http.server
import threading
from dataclasses import dataclass, field
from types import SimpleNamespace
from urllib.parse import parse_qs, urlsplit

import pandas as pd

from allocator.market import Downloads

# Written by hand in the shapes that FRED has had since 2025, and before.
DGS10 = b"observation_date,DGS10\n2024-12-30,4.55\n2024-12-31,4.58\n2025-01-01,\n2025-01-02,4.57\n"
DGS10_BEFORE_2025 = b"DATE,VALUE\n2024-12-30,4.55\n2024-12-31,4.58\n2025-01-01,.\n2025-01-02,4.57\n"
CPI = b"observation_date,CPIAUCNS\n2024-10-01,315.664\n2024-11-01,315.493\n2024-12-01,315.605\n"
GDP = b"observation_date,GDPC1\n2024-04-01,23223.906\n2024-07-01,23400.294\n"
THROTTLED = (
    b"<!DOCTYPE html>\n<html><head>\n<title>Access &amp; Denied \xe2\x80\x93 too fast</title></head></html>"
)


@dataclass
class Answer:
    """What is sent; a length other than the body's cuts it short, ``drip`` sends it a byte at a time."""

    body: bytes = b""
    status: int = 200
    headers: dict[str, str] = field(default_factory=dict)
    length: int | None = None
    chunked: bool = False
    drip: float = 0.0


class LocalSource:
    """Answers each series from its list, the last one again and again; remembers what was asked."""

    def __init__(self, port: int, stop: threading.Event) -> None:
        self.url = f"http://127.0.0.1:{port}/graph/fredgraph.csv"
        self.answers: dict[str, list[Answer]] = {}
        self.asked: list[str] = []
        self.headers: list[dict[str, str]] = []
        self.stop = stop

    def give(self, name: str, *answers: Answer | bytes) -> None:
        """Set what a series is answered with."""
        self.answers[name] = [a if isinstance(a, Answer) else Answer(a) for a in answers]

    def next(self, name: str) -> Answer:
        """Return the next answer."""
        left = self.answers.get(name, [Answer(b"<html><title>404</title>", 404)])
        return left.pop(0) if len(left) > 1 else left[0]


@contextlib.contextmanager
def local_source():
    """Run a source while the block lasts."""

    class Handler(http.server.BaseHTTPRequestHandler):
        protocol_version = "HTTP/1.1"

        def do_GET(self):
            name = parse_qs(urlsplit(self.path).query).get("id", [self.path])[0]
            source.asked.append(name)
            source.headers.append(dict(self.headers))
            answer = source.next(name)
            self.send_response(answer.status)
            for key, value in answer.headers.items():
                self.send_header(key, value)
            if answer.chunked:
                self.send_header("Transfer-Encoding", "chunked")
            else:
                size = len(answer.body) if answer.length is None else answer.length
                self.send_header("Content-Length", str(size))
            self.send_header("Connection", "close")
            self.end_headers()
            with contextlib.suppress(OSError):
                self.send_body(answer)
            self.close_connection = True

        def send_body(self, answer):
            if answer.chunked:  # and never ended
                self.wfile.write(b"%x\r\n%s\r\n" % (len(answer.body), answer.body))
            elif answer.drip:
                for byte in answer.body:
                    self.wfile.write(bytes([byte]))
                    if source.stop.wait(answer.drip):
                        return
            else:
                self.wfile.write(answer.body)

        def log_message(self, *args):
            pass

    server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    server.daemon_threads = True
    source = LocalSource(server.server_port, threading.Event())
    thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.01})
    thread.start()
    try:
        yield source
    finally:
        source.stop.set()
        server.shutdown()
        server.server_close()
        thread.join()


def quick(source: LocalSource, cache: object, **options: object) -> Downloads:
    """Return options that ask the source and wait hardly at all."""
    fast = {"backoff_seconds": 0.001, "timeout_seconds": 5.0, **options}
    return Downloads(cache=cache, fred_url=source.url, **fast)


def fake_yfinance(histories: dict[str, object]) -> SimpleNamespace:
    """Return what answers like the module; a history is a frame, an error, or a list of these in turn."""
    asked = []

    class Ticker:
        def __init__(self, name):
            self.name = name

        def history(self, **options):
            asked.append((self.name, options))
            answer = histories.get(self.name, pd.DataFrame())
            if isinstance(answer, list):
                answer = answer.pop(0) if len(answer) > 1 else answer[0]
            if isinstance(answer, Exception):
                raise answer
            return answer

    return SimpleNamespace(Ticker=Ticker, asked=asked)


def yahoo_frame(closes: pd.Series, zone: str = "America/New_York") -> pd.DataFrame:
    """Return closes in the shape of yfinance: midnight of the exchange, other columns beside."""
    index = pd.DatetimeIndex(closes.index).tz_localize(zone).rename("Date")
    columns = {"Open": 1.0, "High": 1.0, "Low": 1.0, "Close": closes.to_numpy(), "Volume": 100}
    return pd.DataFrame(columns, index=index)
