"""What a long yield is made of, and which part of it moves."""

__all__: list[str] = []
