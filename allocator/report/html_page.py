"""The shell of every page: one file, nothing loaded from elsewhere, no scripts, readable on a phone."""

from __future__ import annotations

from collections.abc import Iterable

from allocator.tables import html_text

__all__ = ["PAGE_MARK", "box", "document"]

PAGE_MARK = b'<meta name="generator" content="allocator-backtest">'  # by which a page is known as ours

_POLICY = "default-src 'none'; img-src data:; style-src 'unsafe-inline'; base-uri 'none'; form-action 'none'"
_STYLE = """
:root{color-scheme:light}
body{margin:0 auto;max-width:64rem;padding:1rem 1.25rem 3rem;background:#fff;color:#222;
 font:1rem/1.5 system-ui,-apple-system,"Segoe UI",Roboto,Arial,sans-serif;overflow-wrap:anywhere}
h1{font-size:1.6rem;line-height:1.25;margin:.5rem 0}
h2{font-size:1.2rem;margin:2.5rem 0 .5rem;border-top:1px solid #ccc;padding-top:1rem}
h3{font-size:1rem;margin:1.75rem 0 0}.note{margin:.25rem 0}
p,li,figcaption{max-width:46rem}
.banner{background:#7a0019;color:#fff;font-weight:700;padding:.6rem .9rem;max-width:none}
.box{overflow-x:auto;margin:.5rem 0}
table{border-collapse:collapse;font-size:.875rem;font-variant-numeric:tabular-nums;overflow-wrap:normal}
th,td{padding:.25rem .7rem;text-align:right;vertical-align:top;white-space:pre;
 border-bottom:1px solid #e3e3e3}
th{font-weight:600}
thead th{border-bottom:2px solid #222;white-space:normal;min-width:3.5rem;vertical-align:bottom}
tbody th,thead th:first-child{text-align:left;padding-left:0;position:sticky;left:0;background:#fff}
tbody th{font-weight:400;white-space:normal;min-width:8rem;max-width:20rem}
tbody tr:hover>*{background:#f4f4f4}
figure{margin:1.5rem 0}
figure img{display:block;width:100%;height:auto}
figcaption,.note,footer{color:#555;font-size:.875rem}
dt{font-weight:600}dd{margin:0 0 .5rem}
@media(max-width:40rem){body{padding:.75rem .75rem 2rem}h1{font-size:1.35rem}
 figure img{width:40rem;max-width:none}tbody th{min-width:6rem;max-width:9rem}th,td{padding:.25rem .5rem}}
@media print{body{max-width:none;padding:0;font-size:10pt}.box{overflow:visible}table{font-size:8pt}
 th,td{padding:.1rem .35rem}tbody th{position:static}figure,tr,h3{break-inside:avoid}h2,h3{break-after:avoid}
 .banner{color:#000;background:none;border:2px solid #000}}
"""


def document(title: str, parts: Iterable[str]) -> str:
    """Return a page of parts that are HTML already; the title is escaped here."""
    return (
        f'<!DOCTYPE html>\n<html lang="en">\n<head>\n<meta charset="utf-8">\n'
        f'<meta http-equiv="Content-Security-Policy" content="{_POLICY}">\n'
        f'<meta name="viewport" content="width=device-width, initial-scale=1">\n{PAGE_MARK.decode()}\n'
        f"<title>{html_text(title)}</title>\n<style>{_STYLE}</style>\n</head>\n<body>\n"
        + "\n".join(parts)
        + "\n</body>\n</html>\n"
    )


def box(content: str) -> str:
    """Return what is wider than a phone in a box that scrolls by itself."""
    return f'<div class="box" tabindex="0">{content}</div>'
