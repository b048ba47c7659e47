"""The measurements as text for people and as JSON for programs."""

from __future__ import annotations

import importlib.metadata
import importlib.util
import json
import os
import platform
from collections.abc import Sequence
from pathlib import Path

from benchmarks.measure import Measurement
from benchmarks.workloads import OURS

__all__ = ["COLUMNS", "fastest_peer", "header", "import_gap", "ratio", "table_text", "to_json"]

_PEERS = {
    "bt": "bt",
    "vectorbt": "vectorbt",
    "skfolio": "skfolio",
    "riskparityportfolio": "riskparityportfolio",
    "empyrical": "empyrical-reloaded",
    "arch": "arch",
}
_LIBRARY = ("numpy", "pandas", "scipy")
COLUMNS = (
    f"{'workload':<9}{'system':<25}{'median':>10}{'best':>10}{'ratio':>9}{'MB':>7}{'free':>9}{'5 bp':>9}"
)


def fastest_peer(rows: Sequence[Measurement], workload: str) -> Measurement | None:
    """Return the peer with the least median on a workload, of those whose answer is right."""
    peers = [r for r in rows if r.workload == workload and r.seconds and r.is_right and _is_peer(r)]
    return min(peers, key=lambda row: row.median or 0.0, default=None)


def _is_peer(row: Measurement) -> bool:
    is_yardstick = row.workload == "W10" and row.system == "pandas"
    return not row.system.startswith(OURS) and not is_yardstick


def ratio(rows: Sequence[Measurement], row: Measurement) -> float | None:
    """Return the fastest peer's median over ours; None in other rows and where there is no peer."""
    peer = fastest_peer(rows, row.workload)
    if row.system != OURS or row.median is None or peer is None or peer.median is None:
        return None
    return peer.median / row.median


def header() -> str:
    """Return the versions and the machine that the numbers belong to."""
    versions = [f"{name} {importlib.metadata.version(name)}" for name in _LIBRARY]
    peers = [
        f"{name} {importlib.metadata.version(distribution) if importlib.util.find_spec(name) else 'absent'}"
        for name, distribution in _PEERS.items()
    ]
    machine = f"{_processor()}, {os.cpu_count()} CPUs, one thread used"
    return f"Python {platform.python_version()}, {', '.join(versions)}\npeers: {', '.join(peers)}\n{machine}"


def _processor() -> str:
    information = Path("/proc/cpuinfo")
    lines = information.read_text().splitlines() if information.exists() else []
    names = [line.split(":", 1)[1].strip() for line in lines if line.startswith("model name")]
    return names[0] if names else platform.machine()


def table_text(rows: Sequence[Measurement], title: str) -> str:
    """Return one workload: a line of title, then a row a system."""
    return "\n".join([f"{rows[0].workload}: {title}", *(_line(rows, row) for row in rows)])


def _line(rows: Sequence[Measurement], row: Measurement) -> str:
    found = ratio(rows, row)
    times = f"{_duration(row.median):>10}{_duration(row.best):>10}"
    factor = "–" if found is None else f"{found:.3g}×" if found < 1000 else f"{found:,.0f}×"
    memory = "–" if row.peak_mb is None else f"{row.peak_mb:,.0f}"
    deviations = f"{_small(row.free_deviation):>9}{_small(row.deviation):>9}"
    return f"{row.workload:<9}{row.system:<25}{times}{factor:>9}{memory:>7}{deviations}  {row.note}".rstrip()


def _duration(seconds: float | None) -> str:
    if seconds is None:
        return "–"
    for unit, size in (("s", 1.0), ("ms", 1e-3)):
        if seconds >= size:
            return f"{seconds / size:.3g} {unit}"
    return f"{seconds * 1e6:.3g} µs"


def _small(deviation: float | None) -> str:
    return "–" if deviation is None or deviation != deviation else f"{deviation:.0e}"


def import_gap(rows: Sequence[Measurement]) -> str:
    """Return what importing this library costs beyond pandas, where W10 was measured."""
    medians = {row.system: row.median for row in rows if row.workload == "W10"}
    ours, pandas = medians.get(OURS), medians.get("pandas")
    if ours is None or pandas is None:
        return ""
    return f"W10: {OURS} - pandas = {ours - pandas:+.3f} s"


def to_json(rows: Sequence[Measurement]) -> str:
    """Return the rows that were measured as a JSON list of records."""
    records = [
        {
            "workload": row.workload,
            "system": row.system,
            "median_s": row.median,
            "best_s": row.best,
            "ratio": ratio(rows, row),
            "peak_mb": row.peak_mb,
        }
        for row in rows
        if row.seconds
    ]
    return json.dumps(records, indent=1) + "\n"
