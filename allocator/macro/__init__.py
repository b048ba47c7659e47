"""The economics: what government bonds anchor, what moves their yields, how a debt is handled."""

__all__: list[str] = []
