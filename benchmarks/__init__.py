"""Speed and size, measured: ``python -m benchmarks`` and ``python -m benchmarks.size``."""
