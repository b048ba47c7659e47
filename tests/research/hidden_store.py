"""Data in a module that strategies import only when they are asked."""

from __future__ import annotations

from typing import Any

DATA: dict[str, Any] = {}
