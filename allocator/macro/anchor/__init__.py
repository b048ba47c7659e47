"""What still follows government bonds: gold, the dollar, equities."""

__all__: list[str] = []
