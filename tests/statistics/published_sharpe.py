"""Answers to the B cases: Sharpe ratios, their differences, and what is probable of them."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from functools import cache
from pathlib import Path
from typing import Any

import numpy as np
from published_cases import Answer, Ledger, document, table
from scipy import stats
from sharpe_oracles import block_error, moments, ratio_difference

import allocator as al
from allocator.statistics import (
    KernelVariance,
    Parzen,
    Prewhitened,
    QuadraticSpectral,
    SharpeMoments,
    _studentised_draws,
    annualisation_factor,
    expected_maximum_sharpe,
)

PERCENT, FRACTION = 0.01, 1.0
PAIRS = {"agg": "mutual", "hedge": "hedge"}
BLOCKS = {"agg": 4, "hedge": 6}
ROUNDED = 0.05  # of a p-value in percent with one decimal
TABLE_2 = (5e-4, 5e-4, 6e-4, 3e-3)  # three decimals; their autocorrelation has another divisor
SIMULATED = "simulation"
PUBLISHED = ("pub_jkm", "pub_hac_qs", "pub_hacpw_qs", "pub_boot_iid", "pub_boot_ts")
SIZES = (Path(__file__).parents[2] / "docs" / "size.md").read_text(encoding="utf-8")


@cache
def pair(name: str) -> np.ndarray:
    """Excess returns of Ledoit and Wolf (2008), fractions, of the first fund less the second."""
    return table(f"B_ledoitwolf2008_{name}_input.csv")[["a", "b"]].to_numpy() / 100


@cache
def peers() -> np.ndarray:
    return table("B_hfdata6_input.csv").iloc[:, 1:].to_numpy()


def difference(returns: np.ndarray, method: Any) -> al.SharpeDifference:
    return al.sharpe_difference(returns[:, 0], returns[:, 1], 0.0, method, periods_per_year=12)


def hac(long_run: Any, unit: float = PERCENT) -> al.HAC:
    return al.HAC(long_run, unit)


@cache
def boot(name: str, block: int, kernel: Any) -> float:
    """P-value of many resamples, so that nearly all of the simulation error is theirs."""
    method = al.StudentizedBootstrap(block, 20_000, error=hac(Prewhitened(KernelVariance(kernel))))
    return float(difference(pair(name), method).p_value)


def boot_of_single_rows(name: str) -> float:
    """P-value of resampled rows with the error of independent ones in the statistic of the sample."""
    found = difference(pair(name), al.IndependentReturns())
    draws = _studentised_draws.difference_draws(pair(name)[:, ::-1], 1, 20_000, np.random.default_rng(0))
    return float(np.mean(np.abs(draws.studentised()) >= abs(found.difference / found.standard_error)))


def simulated(p: float, draws: int = 4999) -> float:
    """Three and a half standard errors of a simulated p-value, and of ours from 20,000 draws."""
    return float(3.5 * np.sqrt(p * (1.0 - p) * (1.0 / draws + 1.0 / 20_000)))


def memmel() -> Iterator[Answer]:
    for row, line in enumerate(table("B_jobsonkorkie_memmel_expected.csv").itertuples()):
        returns = peers()[:, [line.i - 1, line.j - 1]]
        normal, independent = (difference(returns, m()) for m in (al.NormalReturns, al.IndependentReturns))
        yield Answer(f"{row}/jkm_z", line.jkm_z, normal.difference / normal.standard_error)
        yield Answer(f"{row}/jkm_p", line.jkm_p, normal.p_value)
        yield Answer(f"{row}/lw_iid_t", line.lw_iid_t, independent.difference / independent.standard_error)
        yield Answer(f"{row}/lw_iid_p", line.lw_iid_p, independent.p_value)


def authors() -> Iterator[Answer]:
    """Ledoit and Wolf's own R code, and their table 3."""
    for row, line in enumerate(table("B_ledoitwolf2008_expected.csv").itertuples()):
        name = line.data.removeprefix("ret.")
        returns = pair(name)
        parzen, prewhitened = KernelVariance(Parzen()), Prewhitened(KernelVariance(Parzen()))
        normal = difference(returns, al.NormalReturns())
        plain, white = (difference(returns, hac(one)) for one in (parzen, prewhitened))
        ours = {
            "T": normal.n,
            "corr": normal.correlation,
            "jkm_z": normal.difference / normal.standard_error,
            "jkm_p": normal.p_value,
            "hac_parzen_p": plain.p_value,
            "hacpw_p": white.p_value,
        }
        per_month = {
            "sr1": normal.sharpe_1,
            "sr2": normal.sharpe_2,
            "diff": normal.difference,
            "hac_parzen_se": plain.standard_error,
            "hacpw_se": white.standard_error,
        }
        for column, found in ours.items():
            yield Answer(f"{row}/{column}", getattr(line, column), found)
        for column, found in per_month.items():
            yield Answer(f"{row}/{column}", getattr(line, column), found / np.sqrt(12), "of one period")
        theirs = [getattr(line, column) for column in PUBLISHED]
        yield from _table_3(name, [f"{row}/{column}" for column in PUBLISHED], theirs)
        for column, block in (("boot_ts_p_M4999", line.boot_block), ("boot_iid_p_M4999", 1)):
            theirs = getattr(line, column)
            ours = boot(name, block, Parzen())
            yield Answer(f"{row}/{column}", theirs, ours, SIMULATED, abs=simulated(theirs))


def _table_3(name: str, places: Iterable[str], theirs: Iterable[float]) -> Iterator[Answer]:
    """Normal, HAC, prewhitened, and the bootstraps of single rows and of blocks, in percent."""
    errors = (al.NormalReturns(), hac(KernelVariance()), hac(Prewhitened(KernelVariance())))
    exact = [difference(pair(name), error).p_value for error in errors]
    drawn = [boot_of_single_rows(name), boot(name, BLOCKS[name], QuadraticSpectral())]
    for place, value, ours in zip(places, theirs, [*exact, *drawn], strict=True):
        is_drawn = ours in drawn
        tolerance = ROUNDED + (100 * simulated(value / 100) if is_drawn else 0.01)
        yield Answer(place, value, 100 * ours, SIMULATED if is_drawn else "", abs=tolerance)


def paper() -> Iterator[Answer]:
    """Tables 1 to 3 of Ledoit and Wolf (2008); the funds of table 2 are columns of the two files."""
    known = document("B_ledoitwolf2008_published.json")
    funds = {
        "Fidelity": ("agg", 0),
        "Fidelity Aggressive Growth": ("agg", 1),
        "Coast Enhanced Income": ("hedge", 1),
        "JMG Capital Partners": ("hedge", 0),
    }
    for fund, (name, column) in funds.items():
        returns = pair(name)[:, column]
        ours = (
            100 * returns.mean(),
            100 * al.volatility(returns, 12) / np.sqrt(12),
            al.sharpe_ratio(returns, 0.0, 12) / np.sqrt(12),
            al.autocorrelated_sharpe(returns, 0.0, 1, periods_per_year=12).autocorrelations[0],
        )
        for place, found in enumerate(ours):
            leaf = f"table2/{fund}/{place}"
            yield Answer(leaf, known["table2"][fund][place], found, "of one period", abs=TABLE_2[place])
    for name, label in PAIRS.items():
        theirs = known["table3_pvalues_pct"][label]
        yield from _table_3(name, [f"table3_pvalues_pct/{label}/{k}" for k in range(5)], theirs)
    for process, sizes in known["table1_empirical_rejection_pct_T120_5000reps"]["nominal_5"].items():
        for place, theirs in enumerate(sizes):
            leaf = f"table1_empirical_rejection_pct_T120_5000reps/nominal_5/{process}/{place}"
            yield Answer(leaf, theirs, "sharpe_difference" in SIZES, "size of a test")
    yield Answer("T", known["T"], len(pair("agg")))


def kernels() -> Iterator[Answer]:
    """The same formulas in independent code, 14 digits, with deviations over n - 1 and over n."""
    estimators = {
        "hac_qs": hac(KernelVariance()),
        "hacpw_qs": hac(Prewhitened()),
        "hac_parzen": hac(KernelVariance(Parzen())),
        "hacpw_parzen": hac(Prewhitened(KernelVariance(Parzen()))),
        "iid": al.IndependentReturns(),
    }
    names = ("pub_jkm", "pub_hac", "pub_hacpw", "pub_iidboot", "pub_tsboot")
    for row, line in enumerate(table("B_ledoitwolf2008_python_kernels.csv").to_dict("records")):
        for column, method in estimators.items():
            found = difference(pair(line["data"]), method)
            yield Answer(f"{row}/{column}_ddof1", line[f"{column}_ddof1"], 100 * found.p_value)
            z = abs(found.difference / found.standard_error) * np.sqrt(120 / 119)
            theirs = line[f"{column}_ddof0"]
            yield Answer(
                f"{row}/{column}_ddof0", theirs, 200 * stats.norm.sf(z), "deviation over n", rel=1e-8
            )
        yield from _table_3(line["data"], [f"{row}/{n}" for n in names], [line[n] for n in names])


def peer_performance() -> Iterator[Answer]:
    """All 15 pairs of six funds: ratios and products, independent and Parzen."""
    parzen = al.HAC(KernelVariance(Parzen()), FRACTION)
    for row, line in enumerate(table("B_ledoitwolf_asymptotic_expected.csv").itertuples()):
        returns = peers()[:, [line.i - 1, line.j - 1]]
        found = difference(returns, parzen if line.hac else al.IndependentReturns())
        yield Answer(f"{row}/n", line.n, found.n)
        for column in ("sharpe_1", "sharpe_2", "difference"):
            theirs = getattr(line, {"sharpe_1": "sr_i", "sharpe_2": "sr_j"}.get(column, "dsharpe"))
            leaf = {"sharpe_1": "sr_i", "sharpe_2": "sr_j"}.get(column, "dsharpe")
            yield Answer(f"{row}/{leaf}", theirs, getattr(found, column) / np.sqrt(12), "of one period")
        t = found.difference / found.standard_error
        p, convention = found.p_value, ""
        if line.ttype == 2:
            t, convention = product_statistic(returns, line.hac), "product of Sharpe ratios"
            p = 2 * stats.norm.sf(abs(t))
        yield Answer(f"{row}/tstat", line.tstat, t, convention)
        yield Answer(f"{row}/pval", line.pval, p, convention)


def product_statistic(returns: np.ndarray, is_hac: bool) -> float:
    """Jobson and Korkie's μ₁σ₂ - μ₂σ₁ over its error by the delta method, variances over n."""
    (m1, m2), (s1, s2) = returns.mean(axis=0), returns.std(axis=0)
    slope = np.array([s2 + m1 * m2 / s1, -s1 - m1 * m2 / s2, -m2 / (2 * s1), m1 / (2 * s2)])
    n, around = len(returns), moments(returns)
    long_run = KernelVariance(Parzen()).variance(around, slope) * (n - 1) / n
    variance = long_run if is_hac else np.mean((around @ slope) ** 2)
    return float((m1 * s2 - m2 * s1) / np.sqrt(variance / n))


def peer_bootstrap() -> Iterator[Answer]:
    """PeerPerformance divides the statistic of the sample by the error of its own blocks."""
    for row, line in enumerate(table("B_ledoitwolf_bootstrap_expected.csv").itertuples()):
        returns = peers()[:, [line.i - 1, line.j - 1]]
        single = np.sqrt(60 / 59) if line.block == 1 else 1.0
        t = ratio_difference(returns) / (block_error(returns, line.block) * single)
        yield Answer(f"{row}/tstat", line.tstat, t, "error of the sample")
        rng = np.random.default_rng(1)
        draws = _studentised_draws.difference_draws(returns[:, ::-1], line.block, 9999, rng)
        p = np.mean(np.abs(draws.studentised()) >= abs(t) * single)
        tolerance = 3.5 * np.sqrt(2) * line.mc_se
        yield Answer(f"{row}/pval_mc", line.pval_mc, p, "error of the sample", abs=tolerance)


def annualisation() -> Iterator[Answer]:
    """Lo (2002): the error of independent normal returns, and η(q) of an AR(1) by two expressions."""
    known = document("B_lo2002_eta.json")
    for at, row in enumerate(known["se_iid"]):
        moments_of = SharpeMoments(row["T"], row["sr"])
        yield Answer(f"se_iid/{at}/se", row["se"], np.sqrt(moments_of.variance / moments_of.n))
    for at, row in enumerate(known["rows"]):
        ours = annualisation_factor(row["rho"] ** np.arange(1, row["q"]), row["q"])
        for key in ("eta", "eta_general"):
            yield Answer(f"rows/{at}/{key}", row[key], ours)


def probabilities() -> Iterator[Answer]:
    """Bailey and López de Prado (2012, 2014), and PerformanceAnalytics, which ignores kurtosis by default."""
    known = document("B_psr_dsr.json")
    psr, paper_2012 = known["psr"], known["bailey_lopez_2012_from_memory"]
    full = SharpeMoments(psr["n"], psr["sr"], psr["skew"], psr["kurtosis_nonexcess"])
    short = SharpeMoments(psr["n"], psr["sr"], psr["skew"])
    bar, ignored = psr["benchmark"], "kurtosis ignored"
    yield Answer("psr/psr", psr["psr"], full.probability_above(bar))
    yield Answer("psr/mintrl_95", psr["mintrl_95"], full.track_record_above(bar))
    theirs = psr["psr_published_ignore_kurtosis_default"]
    yield Answer(
        "psr/psr_published_ignore_kurtosis_default", theirs, short.probability_above(bar), ignored, abs=5.1e-5
    )
    for key, moment, convention in (
        ("R_ignore_kurtosis_TRUE", short, ignored),
        ("R_ignore_kurtosis_FALSE", full, ""),
    ):
        yield Answer(f"psr/{key}/psr", psr[key]["psr"], moment.probability_above(bar), convention)
        yield Answer(f"psr/{key}/mintrl", psr[key]["mintrl"], moment.track_record_above(bar), convention)
    for at, row in enumerate(known["dsr"]):
        raised = expected_maximum_sharpe(row["N_trials"], row["var_trials_annual"] / row["periods"])
        ratio = row["annual_sr"] / np.sqrt(row["periods"])
        found = SharpeMoments(row["n"], ratio, row["skew"], row["kurtosis"]).probability_above(raised)
        yield Answer(f"dsr/{at}/sr0", row["sr0"], raised)
        yield Answer(f"dsr/{at}/dsr", row["dsr"], found)
    own = (paper_2012["n"], paper_2012["sr_monthly"])
    shaped = SharpeMoments(*own, paper_2012["skew"], paper_2012["kurt"]).probability_above(0.0)
    yield Answer("bailey_lopez_2012_from_memory/psr0", paper_2012["psr0"], shaped)
    normal = SharpeMoments(*own).probability_above(0.0)
    yield Answer("bailey_lopez_2012_from_memory/psr0_normal", paper_2012["psr0_normal"], normal)


DOCUMENTED = ("source", "note", "period")
LEDGERS = [
    Ledger("B_jobsonkorkie_memmel_expected.csv", ("*/i", "*/j"), memmel),
    Ledger("B_ledoitwolf2008_expected.csv", ("*/data", "*/boot_block"), authors),
    Ledger("B_ledoitwolf2008_published.json", (*DOCUMENTED, "*/columns/*", "block_sizes/*", "M"), paper),
    Ledger("B_ledoitwolf2008_python_kernels.csv", ("*/data",), kernels),
    Ledger("B_ledoitwolf_asymptotic_expected.csv", ("*/i", "*/j", "*/ttype", "*/hac"), peer_performance),
    Ledger(
        "B_ledoitwolf_bootstrap_expected.csv",
        ("*/i", "*/j", "*/block", "*/nBoot", "*/ttype", "*/mc_se"),
        peer_bootstrap,
    ),
    Ledger(
        "B_lo2002_eta.json",
        (*DOCUMENTED, "rows/*/rho", "rows/*/q", "se_iid/*/sr", "se_iid/*/T"),
        annualisation,
    ),
    Ledger(
        "B_psr_dsr.json",
        (
            *DOCUMENTED,
            *(f"psr/{key}" for key in ("sr", "benchmark", "n", "skew", "kurtosis_nonexcess")),
            *(f"dsr/*/{key}" for key in ("annual_sr", "periods", "n", "N_trials", "var_trials_annual")),
            *(f"dsr/*/{key}" for key in ("skew", "kurtosis")),
            *(f"bailey*/{key}" for key in ("sr_monthly", "n", "skew", "kurt", "note")),
        ),
        probabilities,
    ),
]
