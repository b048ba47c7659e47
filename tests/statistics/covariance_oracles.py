"""Slow, literal covariances: loops over the published formulas, and returns to try them on."""

import numpy as np
import pandas as pd
from hypothesis import strategies as st


def ledoit_wolf_by_loops(returns):
    """Ledoit and Wolf (2004), Journal of Portfolio Management 30(4), appendices A and B, index by index."""
    T, N = returns.shape
    y = [[returns[t, i] - sum(returns[:, i]) / T for i in range(N)] for t in range(T)]
    s = [[sum(y[t][i] * y[t][j] for t in range(T)) / T for j in range(N)] for i in range(N)]
    r = [[s[i][j] / (s[i][i] * s[j][j]) ** 0.5 for j in range(N)] for i in range(N)]
    r_bar = 2 / ((N - 1) * N) * sum(r[i][j] for i in range(N - 1) for j in range(i + 1, N))
    f = [[s[i][i] if i == j else r_bar * (s[i][i] * s[j][j]) ** 0.5 for j in range(N)] for i in range(N)]

    def pi(i, j):
        return sum((y[t][i] * y[t][j] - s[i][j]) ** 2 for t in range(T)) / T

    def theta(k, i, j):
        return sum((y[t][k] ** 2 - s[k][k]) * (y[t][i] * y[t][j] - s[i][j]) for t in range(T)) / T

    pi_hat = sum(pi(i, j) for i in range(N) for j in range(N))
    rho_hat = sum(pi(i, i) for i in range(N)) + sum(
        r_bar
        / 2
        * ((s[j][j] / s[i][i]) ** 0.5 * theta(i, i, j) + (s[i][i] / s[j][j]) ** 0.5 * theta(j, i, j))
        for i in range(N)
        for j in range(N)
        if i != j
    )
    gamma_hat = sum((f[i][j] - s[i][j]) ** 2 for i in range(N) for j in range(N))
    delta = max(0.0, min((pi_hat - rho_hat) / gamma_hat / T, 1.0))
    matrix = [[delta * f[i][j] + (1 - delta) * s[i][j] for j in range(N)] for i in range(N)]
    return np.array(matrix), delta


def factor_returns(n_periods, n_assets, seed=0):
    """Returns with one common factor, fat tails and volatilities a factor of ten apart."""
    rng = np.random.default_rng([seed, n_periods, n_assets])
    own = rng.standard_t(5, (n_periods, n_assets)) + rng.standard_normal((n_periods, 1))
    return 3e-4 + np.clip(own * np.geomspace(0.002, 0.02, n_assets), -0.9, None)


def grouped_returns(n_periods, n_assets, seed=0):
    """The same, with correlations that differ: each asset also moves with or against its neighbour."""
    returns = factor_returns(n_periods, n_assets, seed)
    signs = np.where(np.arange(n_assets) % 3, 0.8, -0.8)
    return np.clip(returns + signs * np.roll(returns, 1, axis=1), -0.9, None)


def dated(values, start="2000-01-03"):
    dates = pd.bdate_range(start, periods=len(values))
    return pd.DataFrame(values, index=dates, columns=[f"A{j}" for j in range(values.shape[1])])


@st.composite
def panels(draw, rows=(3, 60), assets=(2, 5)):
    """Arrays of returns, shape (n_periods, n_assets), none constant."""
    n_periods, n_assets = draw(st.integers(*rows)), draw(st.integers(*assets))
    return factor_returns(n_periods, n_assets, draw(st.integers(0, 2**32 - 1)))


def relative_error(matrices, expected):
    """The largest difference in units of the expected volatilities."""
    deviation = np.sqrt(np.diagonal(expected, axis1=-2, axis2=-1))
    return np.abs((matrices - expected) / (deviation[..., :, None] * deviation[..., None, :])).max()
