"""Speed and coverage, measured: ``python -m benchmarks`` and ``python -m benchmarks.coverage``."""
