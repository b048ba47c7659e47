"""The article's sixteen claims, each with a statistic, its interval and a verdict."""

from allocator.scoreboard.article import score_article, write_scoreboard
from allocator.scoreboard.download import DownloadedFolder, FolderFile, download_folder
from allocator.scoreboard.verdict import Claim, Part, Scoreboard

__all__ = [
    "Claim",
    "DownloadedFolder",
    "FolderFile",
    "Part",
    "Scoreboard",
    "download_folder",
    "score_article",
    "write_scoreboard",
]
