"""Mutation testing: ``python -m benchmarks.mutation TARGET [MODULE ...] [--sample N] [--survivors]``.

Changes the code of a module in one small way after the other and runs the tests that run the changed line,
until one fails; what no test notices has survived. docs/mutation.md says why each known survivor changes
nothing that a person can see. Needs a system that forks, and the extra ``[test]``.
"""

from __future__ import annotations

import argparse
import ast
import functools
import random
import re
import sys
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING

from benchmarks.mutants import mutants_of
from benchmarks.threads import use_one_thread

if TYPE_CHECKING:
    from benchmarks.mutant_runs import Runner

ROOT = Path(__file__).resolve().parents[1]
_EXPLAINED = ROOT / "docs" / "mutation.md"


@dataclass(frozen=True)
class Target:
    """Modules, and the tests that hold them: short ones, in this process, without peers."""

    modules: tuple[str, ...]
    tests: tuple[str, ...]
    left_out: str = ""


def _files(folder: str, names: str, form: str = "{}.py") -> tuple[str, ...]:
    return tuple(f"{folder}/{form.format(name)}" for name in names.split())


TARGETS = {
    "kernel": Target(
        _files("allocator/engine", "ground paths trade_cost accounting plan decisions rebalancing itemise"),
        _files(
            "tests/engine",
            "accounting ledger_rules ledger_agreement conservation published_accounts holdings calendar "
            "engine_refusals rule_refusals kernel_edges",
            "test_{}.py",
        ),
        "not sixty_years and not daily_etfs and not fifteen_years",
    ),
    "sweeps": Target(
        _files("allocator/sweeps", "lanes bands trading tally"),
        ("tests/sweeps/test_sweep_agreement.py", "tests/sweeps/test_sweep_table.py"),
    ),
    "statistics": Target(
        _files("allocator/statistics", "performance drawdown tail covariance correlation leverage"),
        _files(
            "tests/statistics",
            "performance drawdown tail covariance correlation leverage risk_statistics published_cases "
            "statistics_refusals statistics_edges",
            "test_{}.py",
        ),
        "not every_number_is",
    ),
    "inference": Target(
        _files(
            "allocator/statistics",
            "long_run_variance bootstrap resampled block_length sharpe_methods ratio_interval "
            "ratio_difference families hac_correlation wide_bandwidth sup_f structural_breaks "
            "sieve_bootstrap regression_errors",
        ),
        _files(
            "tests/statistics",
            "bootstrap block_bootstrap sharpe_inference sharpe_difference many_tests correlation_inference "
            "structural_breaks regression statistics_refusals statistics_edges inference_edges",
            "test_{}.py",
        ),
        "not size and not cover and not family_error and not fooled",
    ),
    "risk": Target(
        ("strategies/equal_risk.py", "allocator/regimes/_partition.py"),
        (
            "tests/strategies_tests/test_equal_risk.py",
            "tests/statistics/test_inference_edges.py",
            "tests/regimes/test_by_regime.py",
            "tests/regimes/test_conditional.py",
        ),
    ),
}


@dataclass
class Tally:
    """What became of the mutants of a module."""

    made: int
    tried: int
    verdicts: Counter[str] = field(default_factory=Counter)
    explained: int = 0

    @property
    def killed(self) -> int:
        """How many a test noticed, by failing or by never ending."""
        return self.verdicts["killed"] + self.verdicts["timeout"]


def main(arguments: Sequence[str] | None = None) -> int:
    """Try the mutants of a target; return 0, 1 where a control fails, 2 where a request is wrong."""
    use_one_thread()
    options = _options(arguments)
    target, modules = TARGETS[options.target], TARGETS[options.target].modules
    if options.modules:
        modules = tuple(m for m in modules if {m, Path(m).stem} & {*options.modules})
    sys.path[:0] = [str(ROOT), str(ROOT / "tests")]
    import pytest

    from benchmarks.mutant_runs import Runner

    tests = [
        str(ROOT / test) for test in options.tests or target.tests if (ROOT / test.split("::")[0]).exists()
    ]
    found: list[bool] = []
    runner = Runner(
        ROOT,
        modules,
        options.examples,
        options.budget,
        lambda runner: found.append(_report(runner, modules, options)),
    )
    quiet = ["-q", "--no-header", "-p", "no:cacheprovider", "-p", "no:xdist", f"--rootdir={ROOT}"]
    pytest.main(
        [*tests, *quiet, "-s", *(["-k", target.left_out] if target.left_out else [])], plugins=[runner]
    )
    return 0 if found == [True] else 1


def _options(arguments: Sequence[str] | None) -> argparse.Namespace:
    parser = argparse.ArgumentParser(prog="python -m benchmarks.mutation", description=__doc__)
    parser.add_argument("target", choices=TARGETS)
    parser.add_argument("modules", nargs="*", metavar="MODULE", help="of the target; all if none")
    parser.add_argument(
        "--sample", type=int, metavar="N", help="at most so many mutants of a module, at random"
    )
    parser.add_argument("--seed", type=int, default=8, help="of the sample")
    parser.add_argument(
        "--examples", type=int, default=20, metavar="N", help="of each Hypothesis test at most"
    )
    parser.add_argument(
        "--budget", type=float, default=6.0, metavar="S", help="CPU of all tests of a mutant, traced"
    )
    parser.add_argument(
        "--again", type=Path, metavar="FILE", help="only mutants that this output calls survivors"
    )
    parser.add_argument("--function", help="only mutants of functions whose name contains this")
    parser.add_argument("--tests", nargs="+", metavar="FILE", help="in the place of the target's")
    options = parser.parse_args(arguments)
    known = TARGETS[options.target].modules
    for name in options.modules:
        if name not in {*known, *(Path(module).stem for module in known)}:
            parser.error(f"{name!r} is no module of {options.target}: {', '.join(known)}")
    return options


def _report(runner: Runner, modules: Sequence[str], options: argparse.Namespace) -> bool:
    """Print survivors as they are found, and the table."""
    print(f"{len(runner.items)} tests are collected and run once, unchanged", flush=True)
    runner.survey()
    print(f"they take {sum(runner.seconds.values()):.0f} s of CPU, traced", flush=True)
    reasons, tallies, is_sound = explained(), {}, True
    for module in modules:
        is_sound &= _controls(runner, module)
        tallies[module] = _try_all(runner, module, reasons, options)
        print(_line(module, tallies[module]), flush=True)
    print("", _HEADING, *(_line(module, tally) for module, tally in tallies.items()), sep="\n")
    if len(tallies) > 1:
        print(_line("all", _sum([*tallies.values()])))
    return is_sound


def explained() -> set[str]:
    """Return the survivors that docs/mutation.md explains, as the command names them."""
    text = _EXPLAINED.read_text(encoding="utf-8") if _EXPLAINED.exists() else ""
    return {
        re.sub(r"\s+", " ", name) for name in re.findall(r"^\* `` ?(.+?) ?``", text, re.MULTILINE | re.DOTALL)
    }


def _controls(runner: Runner, module: str) -> bool:
    """Compile the module again without a change, which must pass, and with a failure in all functions."""
    from benchmarks.mutant_runs import give_code

    text = (ROOT / module).read_text(encoding="utf-8")
    broken = ast.parse(text)
    for node in ast.walk(broken):
        if isinstance(node, ast.FunctionDef):
            node.body[:0] = ast.parse("raise RuntimeError('control')").body
    same = runner.control(module, functools.partial(give_code, module, ast.parse(text)))
    dead = runner.control(module, functools.partial(give_code, module, ast.fix_missing_locations(broken)))
    print(f"{module}: unchanged {same.verdict} {same.test}, broken {dead.verdict}", flush=True)
    return (same.verdict, dead.verdict) == ("survived", "killed")


def _try_all(runner: Runner, module: str, reasons: set[str], options: argparse.Namespace) -> Tally:
    mutants = mutants_of(ROOT / module, ROOT)
    if options.function:
        mutants = [mutant for mutant in mutants if options.function in mutant.function]
    if options.again:
        text = options.again.read_text(encoding="utf-8")
        mutants = [mutant for mutant in mutants if f" {mutant}\n" in text]
    tried = mutants
    if options.sample and options.sample < len(mutants):
        tried = random.Random(f"{options.seed} {module}").sample(mutants, options.sample)
    tally = Tally(len(mutants), len(tried))
    constants = _constants(ROOT / module)
    for mutant in tried:
        if re.sub(r"\s+", " ", str(mutant)) in reasons:
            tally.verdicts["survived"] += 1
            tally.explained += 1
            continue
        outcome = runner.outcome(mutant, is_constant=mutant.function in constants)
        tally.verdicts[outcome.verdict] += 1
        if outcome.verdict in {"survived", "no tests"}:
            print(f"{outcome.verdict} line {mutant.lines.start}: {mutant}", flush=True)
    return tally


def _constants(path: Path) -> set[str]:
    body = ast.parse(path.read_text(encoding="utf-8")).body
    return {
        node.targets[0].id
        for node in body
        if isinstance(node, ast.Assign) and isinstance(node.targets[0], ast.Name)
    }


_HEADING = (
    f"{'module':<44}{'mutants':>8}{'tried':>7}{'killed':>8}{'timeout':>9}{'survived':>10}"
    f"{'no tests':>10}{'explained':>11}{'killed':>9}{'of others':>11}"
)


def _line(module: str, tally: Tally) -> str:
    v = tally.verdicts
    killed = tally.killed / tally.tried if tally.tried else 0.0
    others = tally.killed / (tally.tried - tally.explained) if tally.tried > tally.explained else 1.0
    return (
        f"{module:<44}{tally.made:>8}{tally.tried:>7}{v['killed']:>8}{v['timeout']:>9}{v['survived']:>10}"
        f"{v['no tests']:>10}{tally.explained:>11}{killed:>9.1%}{others:>11.1%}"
    )


def _sum(tallies: Sequence[Tally]) -> Tally:
    total = Tally(sum(t.made for t in tallies), sum(t.tried for t in tallies))
    for tally in tallies:
        total.verdicts.update(tally.verdicts)
        total.explained += tally.explained
    return total


if __name__ == "__main__":
    sys.exit(main())
