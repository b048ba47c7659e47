"""The article's sixteen claims, each with a statistic, its interval and a verdict."""

from allocator.scoreboard.article import score_article, write_scoreboard
from allocator.scoreboard.verdict import Claim, Part, Scoreboard

__all__ = ["Claim", "Part", "Scoreboard", "score_article", "write_scoreboard"]
