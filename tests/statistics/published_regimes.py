"""Answers to the D and I cases: correlation, breaks, Markov switching, and the bootstrap."""

from __future__ import annotations

from collections.abc import Iterator
from functools import cache
from typing import Any

import numpy as np
import pandas as pd
from published_cases import Answer, Ledger, document, monthly, table
from scipy import special

import allocator as al
from allocator.statistics import (
    Bartlett,
    FixedBandwidth,
    KernelVariance,
    LogBandwidth,
    StationaryBootstrap,
    raised_correlation,
)

SIMULATED = "simulation"


@cache
def managers() -> pd.DataFrame:
    return monthly("C_managers_input.csv")


def conditional_correlation() -> Iterator[Answer]:
    """Stocks and Treasuries, 1996 to 2006, 132 months."""
    known = document("D_conditional_correlation_managers.json")
    x, y = managers()["SP500 TR"], managers()["US 10Y TR"]
    r, n = al.correlation(x, y), len(x)
    low, high = al.fisher_interval(r, n)
    constancy = al.constant_correlation_test(x, y, KernelVariance(Bartlett(), LogBandwidth()))
    halves = [al.correlation(x[rows], y[rows]) for rows in (slice(66), slice(66, None))]
    z = (np.arctanh(halves[0]) - np.arctanh(halves[1])) / np.sqrt(2 / 63)
    plain = {
        "n": n,
        "corr": r,
        "fisher_ci95/0": low,
        "fisher_ci95/1": high,
        "corr_first66": halves[0],
        "corr_last66": halves[1],
        "wied_stat_influence_version": constancy.statistic,
        "wied_argmax": x.index.get_loc(constancy.date) + 1,
        "corr_when_sp_up": al.correlation(x[x > 0], y[x > 0]),
        "corr_when_sp_down": al.correlation(x[x <= 0], y[x <= 0]),
    }
    rated = {
        "wied_p_kolmogorov": (constancy.p_value, "p of the limit"),
        "se_hac": (error_of_r(x, y, known["hac_bartlett_lag"]), "deviation over n"),
        "se_iid_influence": (error_of_r(x, y, 0), "deviation over n"),
        "se_normal": ((1 - r * r) / np.sqrt(n), "naive error"),
        "fisher_z_difference": (z, "naive error"),
        "p": (special.erfc(abs(z) / np.sqrt(2)), "naive error"),
        "wied_bandwidth": (LogBandwidth().width(np.zeros((n, 1)), Bartlett()) - 1, "lags and width"),
        "kolmogorov_cv95": (special.kolmogi(0.05), "critical value"),
    }
    for leaf, ours in plain.items():
        parent, _, place = leaf.partition("/")
        yield Answer(leaf, known[parent][int(place)] if place else known[parent], ours)
    for leaf, (ours, convention) in rated.items():
        yield Answer(leaf, known[leaf], ours, convention)


def error_of_r(x: pd.Series, y: pd.Series, lags: int) -> float:
    """Return the error of r: ours is of Fisher's z and divides by n - 1."""
    bartlett = KernelVariance(Bartlett(), FixedBandwidth(lags + 1.0))
    found = al.correlation_interval(x, y, bartlett, n_resamples=99)
    return float(found.standard_error * (1 - found.correlation**2) * np.sqrt((found.n - 1) / found.n))


def forbes_rigobon() -> Iterator[Answer]:
    known = document("D_forbes_rigobon_exact.json")
    for at, row in enumerate(known["fr"]):
        raised = raised_correlation(row["rho"], row["delta"])
        yield Answer(f"fr/{at}/rho_conditional", row["rho_conditional"], raised)
        adjusted = al.forbes_rigobon_correlation(row["rho_conditional"], row["delta"])
        yield Answer(f"fr/{at}/rho_adjusted", row["rho_adjusted"], adjusted)
    for at, row in enumerate(known["truncated_normal"]):
        raised = raised_correlation(row["rho"], row["var_x_cond"] - 1)
        yield Answer(f"truncated_normal/{at}/rho_cond", row["rho_cond"], raised)


def two_factors() -> Iterator[Answer]:
    for at, row in enumerate(document("D_two_factor_stock_bond_corr.json")["rows"]):
        stocks, bonds = (row["b_sg"], row["b_spi"]), (row["b_bg"], row["b_bpi"])
        found = al.two_factor_correlation(stocks, bonds, row["sig_g"], row["sig_pi"], row["rho"])
        yield Answer(f"rows/{at}/corr", row["corr"], found.correlation)


def breaks() -> Iterator[Answer]:
    """Bai and Perron's real rate and the Nile, by R's strucchange."""
    known = document("D_baiperron_expected.json")
    rate = dated(table("D_baiperron_realint_input.csv")["realint"], "1961-03-31", "QE")
    found = al.find_breaks(rate, None, None)
    yield Answer("h", known["h"], found.shortest)
    for number, partition in enumerate(found.partitions):
        yield Answer(f"RSS/{number}", known["RSS"][number], partition.squares)
        yield Answer(f"BIC/{number}", known["BIC"][number], partition.bic)
        for place, row in enumerate(partition.rows):
            yield Answer(f"breaks/{number}/{place}", known["breaks"][str(number)][place], row)
    yield Answer("bic_choice", known["bic_choice"], found.by_bic)
    yield Answer("supF", known["supF"], al.break_test(rate, None, None).statistic)
    for leaf, ours in zip(("ols_cusum_S0", "ols_cusum_p"), cusum(rate.to_numpy()), strict=True):
        yield Answer(leaf, known[leaf], ours, "CUSUM")
    nile, volume = known["nile"], dated(table("D_nile_input.csv")["nile"], "1871-12-31", "YE")
    of_nile = al.find_breaks(volume, None, None)
    yield Answer("nile/break", nile["break"], of_nile.chosen.rows[0])
    for number in (0, 1):
        yield Answer(f"nile/RSS/{number}", nile["RSS"][number], of_nile.partitions[number].squares)
        yield Answer(f"nile/BIC/{number}", nile["BIC"][number], of_nile.partitions[number].bic)


def dated(values: pd.Series, first: str, frequency: str) -> pd.Series:
    return pd.Series(values.to_numpy(float), pd.date_range(first, periods=len(values), freq=frequency))


def cusum(y: np.ndarray) -> tuple[float, float]:
    """Largest of the cumulated residuals of a constant mean over σ√n, and its limiting p."""
    left = y - y.mean()
    largest = np.abs(np.cumsum(left)).max() / np.sqrt(left @ left / (len(y) - 1) * len(y))
    return float(largest), float(special.kolmogorov(largest))


@cache
def fits() -> dict[str, Any]:
    quarters = lambda values: dated(pd.Series(values), "1850-03-31", "QE")  # noqa: E731
    rates, areturns = (
        table(f"D_markov_{name}.csv") for name in ("fedfunds_const", "areturns_switching_variance")
    )
    one_variance = {"switching_variance": False, "ordered_by": "mean"}
    series = {
        "fedfunds_const": (rates["fedfunds"], al.MarkovModel(**one_variance)),
        "areturns": (
            np.concatenate([areturns["lag"].iloc[:1], areturns["areturns"]]),
            al.MarkovModel(switching_lags=1),
        ),
        "hamilton_ar4": (
            table("D_hamilton_rgnp_input.csv")["rgnp"],
            al.MarkovModel(order=4, **one_variance),
        ),
    }
    return {
        name: al.fit_markov(quarters(values), model, n_starts=0) for name, (values, model) in series.items()
    }


def markov_estimates() -> Iterator[Answer]:
    """Stata's and EViews' estimates as statsmodels' tests have them, and Hamilton (1989)."""
    known = document("D_markov_meta.json")
    for place, name in enumerate(("fedfunds_const", "areturns", "hamilton_ar4")):
        fit, case = fits()[name], known[name]
        yield Answer(f"{name}/llf", case["llf"], fit.log_likelihood, abs=1e-4)
        yield Answer(f"recomputed_llf/{place}", known["recomputed_llf"][place], fit.log_likelihood, abs=1e-4)
        labels = [*case["order"][:5], *LAGS] if "ar1..ar4" in case["order"] else case["order"]
        theirs = dict(zip(labels, case["params"], strict=True))
        for number, label in enumerate(labels):
            ours, convention = parameter(fit, label, theirs)
            yield Answer(f"{name}/params/{number}", theirs[label], ours, convention, abs=2e-3)
    funds = fits()["fedfunds_const"]
    theirs = known["max_abs_filtered_minus_smoothed_fedfunds"]
    gap = np.abs(funds.filtered - funds.smoothed).to_numpy().max()
    yield Answer("max_abs_filtered_minus_smoothed_fedfunds", theirs, gap, abs=1e-3)
    em = known["fedfunds_const"]["llf_em"]
    yield Answer("fedfunds_const/llf_em", em, bool(funds.log_likelihood > em), "start of the optimiser")


LAGS = ("ar1", "ar2", "ar3", "ar4")


def parameter(fit: Any, label: str, theirs: dict[str, float]) -> tuple[Any, str]:
    """Return one of our estimates under their name; a fit has the mean of a regime, not its parts."""
    made_of, regime = "mean of a regime", int(label[-1]) if label[-1] in "01" else 0
    slope = theirs.get(f"x1_{regime}", 0.0)
    if label.startswith("p["):
        return fit.transition[int(label[2]), 0], ""
    if label.startswith("sigma2"):
        return fit.variances[regime], ""
    if label.startswith("const"):
        return fit.means[regime] * (1.0 - slope), made_of if slope else ""
    if label.startswith("x1"):
        return 1.0 - theirs[f"const{regime}"] / fit.means[regime], made_of
    return not hasattr(fit, "coefficients"), made_of


def federal_funds() -> Iterator[Answer]:
    fit, start = fits()["fedfunds_const"], table("D_markov_fedfunds_const.csv")
    stay = fit.transition[:, 0]
    ergodic = stay[1] / (1.0 - stay[0] + stay[1])
    before = np.concatenate([[[ergodic, 1.0 - ergodic]], fit.filtered.to_numpy()[:-1]])
    for row, line in enumerate(start.itertuples()):
        yield Answer(
            f"{row}/predicted0", line.predicted0, before[row] @ stay, "predicted probability", abs=1e-3
        )
        yield Answer(f"{row}/filtered0", line.filtered0, fit.filtered.iloc[row, 0], abs=1e-3)
        yield Answer(f"{row}/smoothed0", line.smoothed0, fit.smoothed.iloc[row, 0], abs=1e-3)


def switching_autoregression() -> Iterator[Answer]:
    fit = fits()["areturns"]
    for row, line in enumerate(table("D_markov_areturns_switching_variance.csv").itertuples()):
        yield Answer(f"{row}/filtered0", line.filtered0, fit.filtered.iloc[row, 0], abs=1e-3)
        yield Answer(f"{row}/smoothed0", line.smoothed0, fit.smoothed.iloc[row, 0], abs=1e-3)


def block_length_of_arch() -> Iterator[Answer]:
    """Its test: an AR(1) of 10,000 values, written over its own shocks."""
    known = document("I_politis_white_ar1.json")
    series = np.random.RandomState(0).standard_normal(10_100)
    for i in range(1, len(series)):
        series[i] += 0.3 * series[i - 1]
    ours = al.optimal_block_length(series[100:])
    yield Answer("stationary", known["stationary"], ours[0], abs=1e-4 * known["stationary"])
    yield Answer("circular", known["circular"], ours[1], abs=1e-4 * known["circular"])
    for place in (0, 1):
        yield Answer(f"arch_8_0_recomputed/0/{place}", known["arch_8_0_recomputed"][0][place], ours[place])


def block_lengths() -> Iterator[Answer]:
    for row, line in enumerate(table("I_politis_white_managers_expected.csv").itertuples()):
        series = managers()[line.series.removesuffix("^2")].dropna()
        stationary, circular = al.optimal_block_length(series**2 if line.series.endswith("^2") else series)
        yield Answer(f"{row}/n", line.n, len(series))
        yield Answer(f"{row}/stationary", line.stationary, stationary)
        yield Answer(f"{row}/circular", line.circular, circular)


def stationary_variance() -> Iterator[Answer]:
    """Politis and Romano (1994), lemma 1: the variance of the mean, simulated; and arch's simulation."""
    for at, row in enumerate(document("I_stationary_bootstrap_exact_variance.json")["rows"]):
        matrix = managers()[[row["series"]]].to_numpy()
        drawn = StationaryBootstrap(row["mean_block"]).means(matrix, 20_000, np.random.default_rng(1)).var()
        for key in ("var_exact_circular", "var_politis_romano_lemma", "mc_arch_20000"):
            errors = 4.0 * np.sqrt(2 / 20_000) * (np.sqrt(2) if key.startswith("mc") else 1.0)
            yield Answer(f"rows/{at}/{key}", row[key], drawn, SIMULATED, rel=errors)


SAID = ("source", "hac_bartlett_lag", "*order/*", "generator", "rtol", "input")
LEDGERS = [
    Ledger("D_conditional_correlation_managers.json", SAID, conditional_correlation),
    Ledger(
        "D_forbes_rigobon_exact.json",
        (
            *SAID,
            "*/rho",
            "*/delta",
            "truncated_normal/*/var_x_cond",
            "truncated_normal/*/*_cut",
            "truncated_normal/*/*_tail",
        ),
        forbes_rigobon,
    ),
    Ledger(
        "D_two_factor_stock_bond_corr.json", (*SAID, "rows/*/b_*", "rows/*/sig_*", "rows/*/rho"), two_factors
    ),
    Ledger("D_baiperron_expected.json", SAID, breaks),
    Ledger("I_politis_white_ar1.json", SAID, block_length_of_arch),
    Ledger("I_politis_white_managers_expected.csv", ("*/series",), block_lengths),
    Ledger(
        "I_stationary_bootstrap_exact_variance.json",
        (*SAID, "rows/*/series", "rows/*/mean_block"),
        stationary_variance,
    ),
]
SWITCHING = [  # these need the extra [regimes]
    Ledger("D_markov_meta.json", SAID, markov_estimates),
    Ledger("D_markov_fedfunds_const.csv", ("*/fedfunds",), federal_funds),
    Ledger("D_markov_areturns_switching_variance.csv", ("*/areturns", "*/lag"), switching_autoregression),
]
