"""One file over https, strictly: whole, of bounded size, from the host that was asked, tried a few times.

urllib of the standard library is enough for a file without a key.
"""

from __future__ import annotations

import datetime as dt
import html
import re
import time
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, TypeVar, final
from urllib.parse import urlsplit

from allocator.errors import DownloadError, InputError

__all__ = ["Patience", "TransientError", "check_url", "fetch", "patiently"]

Answer = TypeVar("Answer")
_LOOPBACK = frozenset({"127.0.0.1", "::1", "localhost"})
_LONGEST_WAIT = 120.0  # a source that asks for more is not waited for
_PASSING = frozenset({408, 425, 429, 500, 502, 503, 504})
_CHUNK = 2**16
_MOST_REDIRECTS = 5
_HEADERS = {
    "User-Agent": "allocator-backtest (Python urllib)",
    "Accept": "text/csv, text/plain",
    "Accept-Encoding": "identity",  # nothing is unpacked, so nothing can blow up
}


@final
@dataclass(frozen=True)
class Patience:
    """How long to wait and how often to try; seconds and bytes."""

    timeout: float
    attempts: int
    backoff: float
    most_bytes: int


class TransientError(Exception):
    """A failure that may pass; ``wait`` is what the source asked for, in seconds."""

    def __init__(self, problem: str, wait: float | None = None) -> None:
        self.problem, self.wait = problem, wait
        super().__init__(problem)


def patiently(source: str, ask: Callable[[], Answer], patience: Patience) -> Answer:
    """Return what ``ask`` returns, trying again after what may pass, twice as long apart each time.

    Raises
    ------
    DownloadError
        If the last attempt failed, or the source asks for a wait of more than two minutes.
    """
    for attempt in range(1, patience.attempts + 1):
        try:
            return ask()
        except TransientError as failure:
            wait = patience.backoff * 2.0 ** (attempt - 1) if failure.wait is None else failure.wait
            if wait > _LONGEST_WAIT:
                problem = f"{failure.problem} and asks to wait {wait:,.0f} seconds"
                raise DownloadError(source, problem, "try again later") from None
            if attempt == patience.attempts:
                times = f"{attempt} attempts" if attempt > 1 else "1 attempt"
                raise DownloadError(source, f"{failure.problem} ({times})", "try again later") from None
        time.sleep(wait)
    raise AssertionError  # there is at least one attempt


def check_url(url: object, argument: str) -> str:
    """Return an address that may be asked: https, or http on this machine."""
    if not isinstance(url, str):
        raise InputError(argument, f"{url!r} is no address")
    try:
        parts = urlsplit(url)
        is_plain = not parts.query and not parts.fragment and "@" not in parts.netloc
        is_sound = is_plain and bool(parts.hostname) and (parts.port is None or parts.port > 0)
    except ValueError:
        is_sound = False
    if not is_sound or not _is_allowed(url, url):
        raise InputError(argument, f"{url!r} is no https address", fix="write https://host/path")
    return url


def _is_allowed(url: str, asked: str) -> bool:
    """Return whether a request for ``asked`` may go to ``url``: the same host, never less safe."""
    parts, first = urlsplit(url), urlsplit(asked)
    is_safe = parts.scheme == "https" or (parts.scheme == "http" and parts.hostname in _LOOPBACK)
    return is_safe and parts.hostname == first.hostname and "@" not in parts.netloc


def fetch(source: str, url: str, patience: Patience) -> bytes:
    """Return the text file at an address.

    Parameters
    ----------
    source
        What is asked for, for messages: "FRED DGS10".
    url
        Where; a redirect is followed within the same host only.
    patience
        Limits.

    Raises
    ------
    DownloadError
        No answer, an error, a body that is cut short, too large, compressed or a web page.
    """
    return patiently(source, lambda: _ask(source, url, patience), patience)


def _ask(source: str, url: str, patience: Patience) -> bytes:
    import http.client
    import urllib.error
    import urllib.request

    request = urllib.request.Request(url, headers=_HEADERS)
    deadline = time.monotonic() + patience.timeout
    try:
        with _opener(source, url).open(request, timeout=patience.timeout) as response:
            body = _body(source, response, patience, deadline)
    except urllib.error.HTTPError as error:
        with error:
            raise _refused(source, error) from None
    except urllib.error.URLError as error:
        raise _unreachable(source, error.reason) from None
    except (OSError, http.client.HTTPException) as error:
        raise TransientError(f"the connection broke ({_words(error)})") from None
    _check_text(source, body)
    return body


def _opener(source: str, asked: str) -> Any:
    """Return what opens addresses of one host; a proxy of the environment is used except on this machine."""
    import urllib.request

    class Redirects(urllib.request.HTTPRedirectHandler):
        max_redirections = _MOST_REDIRECTS

        def redirect_request(self, req: Any, fp: Any, code: Any, msg: Any, headers: Any, newurl: str) -> Any:
            if not _is_allowed(newurl, asked):
                raise DownloadError(source, f"sends us to {newurl[:100]!r}, another host or not https")
            return super().redirect_request(req, fp, code, msg, headers, newurl)

    local = urlsplit(asked).hostname in _LOOPBACK
    return urllib.request.build_opener(Redirects(), *([urllib.request.ProxyHandler({})] if local else []))


def _body(source: str, response: Any, patience: Patience, deadline: float) -> bytes:
    """Return the whole body, reading no more than is allowed and no longer."""
    encoding = response.headers.get("Content-Encoding", "identity").lower()
    if encoding != "identity":
        raise DownloadError(source, f"answers compressed ({encoding[:20]!r}), which was not asked for")
    length = response.headers.get("Content-Length", "")
    announced = int(length) if length.isdecimal() else None
    parts: list[bytes] = []
    size = 0
    while size <= patience.most_bytes and (announced or 0) <= patience.most_bytes:
        part = response.read1(_CHUNK)
        if not part:
            _check_length(size, announced)
            return b"".join(parts)
        parts.append(part)
        size += len(part)
        if time.monotonic() > deadline:
            raise TransientError(f"was not done after {patience.timeout:g} seconds")
    raise DownloadError(source, f"answers with more than {patience.most_bytes:,} bytes", "raise most_bytes")


def _check_length(size: int, announced: int | None) -> None:
    if announced is not None and size != announced:
        raise TransientError(f"the answer was cut short: {size:,} of {announced:,} bytes")
    if not size:
        raise TransientError("answered with nothing")


def _refused(source: str, error: Any) -> Exception:
    """Return what an error status means."""
    status = f"answered {error.code} ({str(error.reason)[:40]})"
    if error.code in _PASSING:
        return TransientError(status, _retry_after(error.headers.get("Retry-After", "")))
    fixes = {404: "check the name of the series", 403: "the source may refuse programs, or your network"}
    return DownloadError(source, status, fixes.get(error.code, ""))


def _retry_after(text: str) -> float | None:
    """Return the seconds that a source asks to wait: a number, or until a date. RFC 9110, 10.2.3."""
    import email.utils

    if text.isascii() and text.isdecimal():
        return float(text[:9])
    try:
        until = email.utils.parsedate_to_datetime(text)
    except ValueError:
        return None
    if until.tzinfo is None:
        until = until.replace(tzinfo=dt.UTC)
    return max((until - dt.datetime.now(dt.UTC)).total_seconds(), 0.0)


def _unreachable(source: str, reason: Any) -> Exception:
    import ssl

    if isinstance(reason, ssl.SSLCertVerificationError):
        fix = "your network may read along, or Python lacks certificates"
        return DownloadError(source, f"the certificate is not trusted ({_words(reason)})", fix)
    return TransientError(f"cannot be reached ({_words(reason)})")


def _words(reason: object) -> str:
    text = getattr(reason, "strerror", None) or str(reason) or type(reason).__name__
    return str(text).splitlines()[0][:120]


def _check_text(source: str, body: bytes) -> None:
    """Refuse what is no plain text: a packed file, or a web page where a table was asked for."""
    if body[:2] in (b"\x1f\x8b", b"PK") or b"\0" in body[:_CHUNK]:
        raise DownloadError(source, "answers with a binary or packed file, not with text")
    start = body.lstrip(b"\xef\xbb\xbf \t\r\n")[:_CHUNK]
    if not start.startswith(b"<"):
        return
    text = start.decode("utf-8", errors="replace")
    found = re.search(r"<title[^>]*>(.*?)</title", text, re.IGNORECASE | re.DOTALL)
    title = " ".join(html.unescape(found.group(1)).split())[:60] if found else ""
    named = f" titled {title!r}" if title else ""
    raise DownloadError(source, f"answers with a web page{named} instead of a table", "try again later")
