"""Kills writers at chosen points and prints, a line of JSON a case, what they left, for test_crash_safety.py.

Each writer first writes what is called old. A copy of this process then writes what is called new and is
killed on its way; what is on the disk is compared with old and new. Then the next writer comes.
"""

import contextlib
import hashlib
import json
import os
import pathlib
import resource
import signal
import sys
import time

import numpy as np
import pandas as pd

import allocator as al
import allocator.report.tear_sheet_page
import allocator.report.write as report
from allocator.market.cache import Cache
from allocator.papers.output import check_target, write_folder
from allocator.scoreboard.verdict import Claim, Part, Scoreboard
from allocator.sweeps import store
from strategies import SixtyForty

OLD, NEW = "old", "new"
REFUSED = 7
MARKET = al.load_us_history()
RUNS = {
    which: al.run_backtest(al.FixedMix({asset: 1.0}), MARKET, start="1990")
    for which, asset in ((OLD, "stocks"), (NEW, "bonds"))
}
COMPARISON = al.compare([SixtyForty()], MARKET, start="1990")
KEY = {"source": "FRED", "series": "DGS10"}
STUDY = """
title = "{}"
seed = 0
[data]
history = "us_history"
[[strategies]]
class = "SixtyForty"
"""


def rendered(which, name):
    """Return what a slow drawing would: the marks of ours, and more than one buffer of text."""
    mark = allocator.report.html_page.PAGE_MARK.decode()
    return f"{mark}{which} {name} " + which * 100_000


def write_baseline(folder, which):
    al.write_baseline(RUNS[which], folder / "deep" / "base.json")


def write_cache(folder, which):
    Cache(folder / "cache").write(KEY, which.encode() * 100_000)


def write_sheet(folder, which):
    allocator.report.tear_sheet_page.sheet_page = lambda sheet: rendered(which, "sheet")
    sheet = al.TearSheet(COMPARISON, pd.DataFrame(), None, None, ())
    sheet.write(folder / "sheet.html")


def write_report(folder, which):
    report._contents = lambda comparison, study: {
        name: rendered(which, name).encode() for name in report._FILES
    }
    al.write_report(COMPARISON, None, folder / "report")


def write_board(folder, which):
    part = Part(which, "x", 0.1, 0.0, 0.2, 0.5, 9, "above")
    al.write_scoreboard(Scoreboard((Claim("A1", which * 10_000, (part,)),), ()), folder / "board")


def write_study(folder, which):
    """The manifest is that of a study; made once, in the process that is copied."""
    write_folder(folder / "out", STUDIES[which], overwrite=True)


def write_sweep(folder, which):
    """A sweep of one block, then of two: the old file is what the new one begins with."""
    path, parts = folder / "sweep.jsonl", {"market": "a"}
    done = store.read_store(path, parts, [2, 2], 3)
    with store.open_store(path, parts, 4) as keep:
        for block in range(1 if which == OLD else 2):
            if block not in done:
                keep.add(block, np.full((2, 3), float(block)))


WRITERS = {
    name.removeprefix("write_"): made
    for name, made in list(globals().items())
    if name.startswith("write_") and name != "write_folder"
}


def studies(folder):
    made = {}
    for which in (OLD, NEW):
        (folder / f"{which}.toml").write_text(STUDY.format(which))
        found = al.reproduce(folder / f"{which}.toml", folder / f"made-{which}")
        made[which] = {path.name: path.read_bytes() for path in found.files}
        if found.manifest.name not in made[which]:
            made[which][found.manifest.name] = found.manifest.read_bytes()
    return made


# --- where a writer is killed ---


def die():
    os.kill(os.getpid(), signal.SIGKILL)


class HalfWritten:
    """A file that takes half of what is written, and with it the writer."""

    def __init__(self, file):
        self.file = file

    def write(self, data):
        self.file.write(data[: len(data) // 2])
        self.file.flush()
        die()

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.file.close()


def at_call(n, owner, name, *, before):
    """Kill at the n-th call of a function."""
    real, calls = getattr(owner, name), []

    def counted(*args, **options):
        calls.append(0)
        if len(calls) == n and before:
            die()
        found = real(*args, **options)
        if len(calls) == n:
            die()
        return found

    setattr(owner, name, counted)


def at_open(n, *, half):
    real, calls = pathlib.Path.open, []

    def counted(path, mode="r", *args, **options):
        if "x" not in mode and "a" not in mode:
            return real(path, mode, *args, **options)
        calls.append(0)
        if len(calls) == n and not half:
            die()
        file = real(path, mode, *args, **options)
        return HalfWritten(file) if len(calls) == n else file

    pathlib.Path.open = counted


POINTS = {
    "before the write": lambda n: at_open(n, half=False),
    "mid-write": lambda n: at_open(n, half=True),
    "before fsync": lambda n: at_call(n, os, "fsync", before=True),
    "after fsync": lambda n: at_call(n, os, "fsync", before=False),
    "before replace": lambda n: at_call(n, os, "replace", before=True),
    "after replace": lambda n: at_call(n, os, "replace", before=False),
}
FOLDER_POINTS = {
    "before rename": lambda n: at_call(n, pathlib.Path, "rename", before=True),
    "after rename": lambda n: at_call(n, pathlib.Path, "rename", before=False),
}


def child(act):
    """Run something in a copy of this process and return how that ended."""
    pid = os.fork()
    if not pid:
        try:
            act()
        except al.InputError as refusal:
            os._exit(REFUSED if "file too large" in str(refusal) else 3)
        except BaseException as error:
            sys.stderr.write(f"{type(error).__name__}: {error}\n")
            sys.stderr.flush()
            os._exit(3)
        os._exit(0)
    return os.waitstatus_to_exitcode(os.waitpid(pid, 0)[1])


# --- what is on the disk ---


def is_part(path):
    return any(part.startswith(".allocator-") and part.endswith(".part") for part in path.parts)


def snapshot(folder):
    """Return digests by name, and how many temporary files there are; temporary ones are no output."""
    files = sorted(path.relative_to(folder) for path in folder.rglob("*") if path.is_file())
    digests = {
        str(path): hashlib.sha256((folder / path).read_bytes()).hexdigest()
        for path in files
        if not is_part(path)
    }
    return digests, len([*folder.rglob(".allocator-*.part")])


def age(folder):
    for path in folder.rglob(".allocator-*.part"):
        os.utime(path, (0, 0))


def stamp(folder):
    """A cache entry holds the time at which it was made: only its answer is compared."""
    for path in folder.rglob("*.entry"):
        entry = Cache(path.parent).read(KEY)
        path.with_suffix(".body").write_bytes(entry.body)
        path.unlink()


def whole(root, name, which):
    folder = root / f"{name}-{which}"
    folder.mkdir()
    if which == NEW:
        WRITERS[name](folder, OLD)
    WRITERS[name](folder, which)
    stamp(folder)
    return snapshot(folder)[0]


def case(root, name, point, n, arm):
    folder = root / f"{name} {point} {n}"
    folder.mkdir()
    WRITERS[name](folder, OLD)

    def killed():
        arm(n)
        WRITERS[name](folder, NEW)

    code = child(killed)
    if name == "study":
        with contextlib.suppress(al.InputError):
            check_target(folder / "out", overwrite=True)  # puts right what can be
    left = snapshot(folder)[1]
    if name == "cache":
        stamp(folder)
    if name == "sweep":
        done = store.read_store(folder / "sweep.jsonl", {"market": "a"}, [2, 2], 3)
        assert sorted(done) in ([0], [0, 1]), done
    found = snapshot(folder)[0]
    age(folder)
    WRITERS[name](folder, NEW)
    if name == "cache":
        for path in folder.rglob("*.body"):
            path.unlink()
        stamp(folder)
    after, parts = snapshot(folder)
    return code, left, found, after, parts


def killings(root):
    for name in WRITERS:
        expected = {which: whole(root, name, which) for which in (OLD, NEW)}
        files = [1, 5] if name == "report" else [1]
        points = [(point, n, arm) for point, arm in POINTS.items() for n in files]
        if name == "study":
            points += [(point, n, arm) for point, arm in FOLDER_POINTS.items() for n in (1, 2)]
        for point, n, arm in points:
            code, left, found, after, parts = case(root, name, point, n, arm)
            state = {
                file: next((w for w in (OLD, NEW) if expected[w].get(file) == digest), "neither")
                for file, digest in found.items()
            }
            yield {
                "writer": name,
                "point": point,
                "n": n,
                "killed": code == -signal.SIGKILL,
                "left": left,
                "state": state,
                "whole": next((w for w in (OLD, NEW) if found == expected[w]), "mixed"),
                "after": after == expected[NEW],
                "parts": parts,
            }


def full_disks(root):
    """A limit of the system on the size of a file stands for a disk that is full in the middle of a write."""
    for name in WRITERS:
        folder = root / f"{name} full"
        folder.mkdir()
        WRITERS[name](folder, OLD)
        before = snapshot(folder)

        def act(name=name, folder=folder):
            most = 40 if name == "sweep" else 2000
            start = (folder / "sweep.jsonl").stat().st_size if name == "sweep" else 0
            resource.setrlimit(resource.RLIMIT_FSIZE, (start + most, start + most))
            WRITERS[name](folder, NEW)

        code = child(act)
        if name == "sweep":
            done = store.read_store(folder / "sweep.jsonl", {"market": "a"}, [2, 2], 3)
            assert sorted(done) == [0], done
        yield {"writer": name, "full": code == REFUSED, "same": snapshot(folder) == before}


def races(root):
    """Two writers at once, and a reader between them."""
    for name in ("baseline", "cache", "sheet", "report"):
        folder = root / f"{name} race"
        folder.mkdir()
        WRITERS[name](folder, OLD)

        def write(which, name=name, folder=folder):
            for _ in range(15):
                WRITERS[name](folder, which)

        pids = []
        for which in (OLD, NEW):
            pid = os.fork()
            if not pid:
                code = 3
                with contextlib.suppress(BaseException):
                    write(which)
                    code = 0
                os._exit(code)
            pids.append(pid)
        seen, codes = set(), []
        while pids:
            seen |= set(read(name, folder))
            for pid in list(pids):
                done, status = os.waitpid(pid, os.WNOHANG)
                if done:
                    pids.remove(pid)
                    codes.append(os.waitstatus_to_exitcode(status))
            time.sleep(0.001)
        yield {"writer": name, "race": codes, "seen": sorted(seen), "parts": snapshot(folder)[1]}


def read(name, folder):
    if name == "cache":
        yield Cache(folder / "cache").read(KEY).body[:3].decode()
    elif name == "baseline":
        run = al.check_baseline(RUNS[OLD], folder / "deep" / "base.json")
        yield OLD if run.passed else NEW
    else:
        for path in folder.rglob("*.*"):
            if path.is_file() and not is_part(path):
                text = path.read_text()
                yield next((w for w in (OLD, NEW) if text.endswith(w * 100_000)), f"half: {path.name}")


if __name__ == "__main__":
    top = pathlib.Path(sys.argv[1])
    STUDIES = studies(top)
    for kind in (killings, full_disks, races):
        for line in kind(top):
            print(json.dumps(line), flush=True)
