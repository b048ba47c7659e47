"""Published and reference numbers, read where they lie beside the checkout."""

from collections.abc import Callable
from pathlib import Path

import numpy as np
import pandas as pd
import pytest

CASES = Path(__file__).parents[3] / "shared" / "cases"


@pytest.fixture(scope="session")
def case() -> Callable[[str], Path]:
    def find(name: str) -> Path:
        path = CASES / name
        if not path.exists():
            pytest.skip(f"the reference numbers {name} are not beside this checkout")
        return path

    return find


@pytest.fixture(scope="session")
def managers(case) -> pd.DataFrame:
    return pd.read_csv(case("C_managers_input.csv"), index_col=0, parse_dates=True)


@pytest.fixture(scope="session")
def edhec(case) -> pd.DataFrame:
    return pd.read_csv(case("C_edhec_input.csv"), index_col=0, parse_dates=True)


@pytest.fixture
def daily() -> pd.Series:
    """Three years of noisy days with fat tails, no two alike."""
    dates = pd.bdate_range("2019-01-02", periods=756)
    return pd.Series(0.01 * np.random.default_rng(7).standard_t(5, 756), index=dates, name="noise")
