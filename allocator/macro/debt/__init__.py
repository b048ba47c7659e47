"""How a government's debt moves, and by which means it is handled."""

__all__: list[str] = []
