"""``python -m allocator``: the default study, or one of the commands in ``_COMMANDS``.

Each has a ``--help`` of its own, and is a module that is imported when it is asked for: so that Ctrl-C is one
line also while NumPy and pandas are being imported, which takes a second.
"""

from __future__ import annotations

import argparse
import contextlib
import importlib
import os
import sys
from collections.abc import Sequence
from io import TextIOWrapper
from typing import Any, NoReturn

__all__ = ["main"]

# Each is a module with a function `run(arguments, parser) -> exit code`.
_COMMANDS = {
    "article": "allocator.scoreboard.command",
    "check": "allocator.research.check_command",
    "download": "allocator.scoreboard.download_command",
    "reproduce": "allocator.papers.reproduce_command",
    "verify": "allocator.papers.verify_command",
}
_STUDY = "allocator.study_command"


def main(arguments: Sequence[str] | None = None) -> int:
    """Run a command; return its exit code, or 2 after one line on the error stream.

    Never 1 by accident, which of ``check`` and ``verify`` means that numbers have moved: 2 is also what an
    interruption gives, and an output that nobody reads or that cannot take it.
    """
    words = list(sys.argv[1:] if arguments is None else arguments)
    command = words.pop(0) if words and words[0] in _COMMANDS else ""
    try:
        run = importlib.import_module(_COMMANDS.get(command, _STUDY)).run
        code = int(run(words, _Parser(prog=f"python -m allocator {command}".rstrip())))
        if sys.stdout is not None:  # it is where a shell has closed it
            sys.stdout.flush()
    except KeyboardInterrupt:
        print("allocator: interrupted; every file is whole, the old one or the new", file=sys.stderr)
        return 2
    except OSError as error:  # files are refused with InputError: what has no name is the output
        if error.filename is None:
            _write_no_more()
        if not isinstance(error, BrokenPipeError):  # `| head` says nothing either
            what = "cannot print the result" if error.filename is None else repr(error.filename)
            print(f"allocator: {what}: {(error.strerror or str(error)).lower()}", file=sys.stderr)
        return 2
    return code


def _write_no_more() -> None:
    """Keep Python from writing again, when it ends, what could not be written."""
    with contextlib.suppress(OSError, ValueError, AttributeError):  # none, or one without a number
        nothing = os.open(os.devnull, os.O_WRONLY)
        os.dup2(nothing, sys.stdout.fileno())
        os.close(nothing)


def _print_anything() -> None:
    """Let a sign that the encoding of the output lacks appear escaped, as it does in errors."""
    if isinstance(sys.stdout, TextIOWrapper):
        sys.stdout.reconfigure(errors="backslashreplace")


class _Parser(argparse.ArgumentParser):
    """A parser whose refusals are one line, as all others are."""

    def parse_args(self, *given: Any, **named: Any) -> Any:
        """Refuse a blank folder of results as well: `--out "$UNSET"` would be where one stands."""
        options = super().parse_args(*given, **named)
        if getattr(options, "out", None) == "":
            self.error("argument --out: is blank")
        return options

    def error(self, message: str) -> NoReturn:
        """Say what is wrong and exit with 2."""
        self.exit(2, f"allocator: {message}; see {self.prog} --help\n")


if __name__ == "__main__":
    _print_anything()
    raise SystemExit(main())
