"""A small study that runs in a fraction of a second, and what it was reproduced to."""

import pathlib

import pytest

import allocator as al
from allocator.papers import environment, manifest, verification

STUDY = """
title = "A small study"
seed = 7
figures = ["gold"]

[data]
history = "us_history"

[window]
start = "1980"

[[strategies]]
class = "SixtyForty"

[[strategies]]
class = "RiskParity"
assets = ["stocks", "bonds"]
target_volatility = 0.10
name = "levered, 50% & more_"

[[runs]]
name = "free"
rebalancing = { class = "Yearly" }
costs = { trading = 0.0, borrow_spread = 0.0 }

[[runs]]
name = "dear"
rebalancing = { class = "Yearly" }
costs = { trading = 0.001, borrow_spread = 0.02 }

[[regimes]]
function = "inflation_level"
threshold = 0.03

[[tests]]
kind = "sharpe_differences"
name = "differences"
n_resamples = 199
periods = [["", "1999"], ["2000", ""]]

[[tests]]
kind = "regime_performance"
n_resamples = 199

[[tests]]
kind = "regime_correlation"
n_resamples = 199

[[tests]]
kind = "leverage"
strategies = ["levered, 50% & more_"]

[[tests]]
kind = "weight_curve"
name = "gold"
base = { stocks = 0.6, bonds = 0.4 }
asset = "gold"
weights = [0.1, 0.2]
funded_from = "bonds"
n_resamples = 199

[[tests]]
kind = "additions"
base = { stocks = 0.6, bonds = 0.4 }
assets = ["gold", "developed"]
weight = 0.1
funded_from = { stocks = 0.5, bonds = 0.5 }
n_resamples = 199
"""
LITTLE = """
title = "Two strategies"
seed = 0
[data]
history = "us_history"
[[strategies]]
class = "SixtyForty"
[[strategies]]
class = "FixedMix"
mix = { stocks = 1.0 }
name = "stocks"
"""


@pytest.fixture(scope="session", autouse=True)
def code():
    """The digests of the source, read once: an editor may save a file while the tests run."""
    found = environment.code_digests()
    with pytest.MonkeyPatch.context() as patch:
        for module in (manifest, verification):
            patch.setattr(module, "code_digests", lambda: dict(found))
        yield


@pytest.fixture(scope="session")
def whole(tmp_path_factory):
    """The folder of the small study, and what reproduce returned; not to be changed."""
    folder = tmp_path_factory.mktemp("whole")
    (folder / "small.toml").write_text(STUDY, encoding="utf-8")
    found = al.reproduce(folder / "small.toml", folder / "out")
    return pathlib.Path(folder / "out"), found


@pytest.fixture
def written(tmp_path):
    """Writes a study to a file and returns its path."""

    def write(text=LITTLE, name="study.toml"):
        path = tmp_path / name
        path.write_text(text, encoding="utf-8")
        return path

    return write


@pytest.fixture
def little(written, tmp_path):
    """A folder to which a study without tests was reproduced, free to be changed."""
    al.reproduce(written(), tmp_path / "out")
    return tmp_path / "out"
