"""Files that cannot be written, must not be, or are somebody else's: one message, nothing half-written."""

import errno
import os
import re
import stat
import sys
from types import SimpleNamespace

import pytest

import allocator as al
from allocator import disk
from allocator.__main__ import main
from allocator.market.cache import Cache
from allocator.papers.output import write_folder
from allocator.report.picture import PICTURE_MARK
from allocator.sweeps.store import open_store
from strategies import SixtyForty

PART = re.compile(r"\.allocator-[0-9a-f]{16}\.part")
KEY = {"source": "FRED", "series": "DGS10"}


@pytest.fixture(scope="module")
def study():
    comparison = al.compare([SixtyForty()], al.load_us_history(), start="1990")
    part = al.scoreboard.verdict.Part("x", "x", 0.1, 0.0, 0.2, 0.5, 9, "above")
    board = al.scoreboard.verdict.Scoreboard((al.scoreboard.verdict.Claim("A1", "t", (part,)),), ())
    sheet = al.TearSheet(comparison, None, None, None, ())
    return SimpleNamespace(comparison=comparison, run=comparison.backtests[0], board=board, sheet=sheet)


@pytest.fixture(autouse=True)
def quick(monkeypatch):
    """Pages without their pictures: what is tested here is how they are written."""
    from allocator.report import tear_sheet_page, write
    from allocator.report.html_page import document

    page = document("t", [])
    monkeypatch.setattr(tear_sheet_page, "sheet_page", lambda sheet: page)
    monkeypatch.setattr(write, "_contents", lambda *_: dict.fromkeys(write._FILES, page.encode()))


DOORS = {
    "baseline": (lambda s, p, **o: al.write_baseline(s.run, p / "x.json", **o), "x.json"),
    "sheet": (lambda s, p, **o: s.sheet.write(p / "x.html", **o), "x.html"),
    "report": (lambda s, p, **o: al.write_report(s.comparison, None, p, **o), "summary.csv"),
    "board": (lambda s, p, **o: al.write_scoreboard(s.board, p, **o), "article.json"),
}
OWN = {
    "cache": (lambda s, p: Cache(p).write(KEY, b"x"), None),
    "study": (lambda s, p: write_folder(p / "out", {"a.csv": b"x"}, overwrite=False), None),
    "sweep": (lambda s, p: open_store(p / "x.jsonl", {}, 1).__enter__(), "x.jsonl"),
}
ALL = {**DOORS, **OWN}


def written(door, study, folder, **options):
    ALL[door][0](study, folder, **options)


# --- F199: it cannot be written ---


@pytest.mark.parametrize("door", ALL)
@pytest.mark.parametrize("step", ["fsync", "replace"])
@pytest.mark.parametrize("number", [errno.ENOSPC, errno.EROFS, errno.EIO])
def test_F199_what_the_system_refuses_is_named_and_leaves_nothing(
    door, step, number, study, tmp_path, monkeypatch
):
    def fail(*_):
        raise OSError(number, os.strerror(number))

    monkeypatch.setattr(os, step, fail)
    with pytest.raises(al.InputError, match=os.strerror(number).lower()) as caught:
        written(door, study, tmp_path)
    assert str(tmp_path) in str(caught.value)
    assert "; choose another" in str(caught.value) or "; make room" in str(caught.value)
    monkeypatch.undo()
    assert not [path for path in tmp_path.rglob("*") if path.is_file()]


@pytest.mark.parametrize("door", DOORS)
def test_F199_an_interruption_leaves_the_old_file_and_no_other(door, study, tmp_path, monkeypatch):
    written(door, study, tmp_path)
    before = {path: path.read_bytes() for path in tmp_path.rglob("*")}

    def stop(*_):
        raise KeyboardInterrupt

    monkeypatch.setattr(os, "replace", stop)
    with pytest.raises(KeyboardInterrupt):
        written(door, study, tmp_path)
    assert {path: path.read_bytes() for path in tmp_path.rglob("*")} == before


@pytest.mark.skipif(not hasattr(os, "geteuid") or os.geteuid() == 0, reason="root may write to any folder")
@pytest.mark.parametrize("door", DOORS)
def test_F199_a_read_only_folder_is_named(door, study, tmp_path):
    closed = tmp_path / "closed"
    closed.mkdir(mode=0o500)
    with pytest.raises(al.InputError, match=r"cannot write '.*closed.*permission denied"):
        written(door, study, closed)


@pytest.mark.parametrize("door", ALL)
def test_F199_a_file_where_a_folder_is_meant(door, study, tmp_path):
    (tmp_path / "taken").write_text("a file")
    with pytest.raises(al.InputError, match=r"taken.*(not a directory|file exists)"):
        written(door, study, tmp_path / "taken")
    assert (tmp_path / "taken").read_text() == "a file"


@pytest.mark.parametrize("door", DOORS)
def test_F199_a_folder_where_a_file_is_meant(door, study, tmp_path):
    (tmp_path / DOORS[door][1]).mkdir()
    with pytest.raises(al.InputError, match="is a folder, not a regular file"):
        written(door, study, tmp_path, overwrite=True)
    assert (tmp_path / DOORS[door][1]).is_dir()


@pytest.mark.parametrize("door", DOORS)
def test_F171_a_link_is_not_followed(door, study, tmp_path):
    """In a folder that others can write to, a link would send the file elsewhere."""
    elsewhere = tmp_path / "precious"
    elsewhere.write_text("precious")
    folder = tmp_path / "out"
    folder.mkdir()
    (folder / DOORS[door][1]).symlink_to(elsewhere)
    with pytest.raises(al.InputError, match="was not written by this library"):
        written(door, study, folder)
    with pytest.raises(al.InputError, match="is a symbolic link, not a regular file"):
        written(door, study, folder, overwrite=True)
    assert elsewhere.read_text() == "precious"


@pytest.mark.skipif(not hasattr(os, "mkfifo"), reason="this system has no named pipes")
def test_F172_a_pipe_is_not_written(tmp_path):
    os.mkfifo(tmp_path / "pipe")
    with pytest.raises(al.InputError, match=r"'.*pipe' is a device or a pipe"):
        disk.write_whole(tmp_path / "pipe", b"x", "path")


def test_F199_a_missing_folder_and_a_nul_are_named(tmp_path):
    with pytest.raises(
        al.InputError, match=r"out: cannot write '.*none/x': no such file or directory; choose"
    ):
        disk.write_whole(tmp_path / "none" / "x", b"x", "out")
    with pytest.raises(al.InputError, match=r"out: cannot write .*null"):
        disk.write_whole(tmp_path / "a\0b", b"x", "out")
    with pytest.raises(al.InputError, match=r"out: cannot write .*null"):
        disk.make_folder(tmp_path / "a\0b", "out")
    with pytest.raises(al.InputError, match="file name too long"):
        disk.write_whole(tmp_path / ("n" * 300), b"x", "out")
    assert not any(tmp_path.iterdir())


def test_F200_of_parts_only_old_ones_of_ours_are_removed(tmp_path):
    names = [
        ".allocator-" + 16 * "a" + ".part",
        ".allocator-short.part",
        "mine.part",
        ".allocator-" + 16 * "b" + ".part",
    ]
    for name in names:
        (tmp_path / name).write_text("half")
    (tmp_path / (".allocator-" + 16 * "c" + ".part")).mkdir()
    (tmp_path / (".allocator-" + 16 * "c" + ".part") / "half").write_text("half")
    for path in tmp_path.iterdir():
        os.utime(path, (0, 0))
    os.utime(tmp_path / names[3])
    disk.write_whole(tmp_path / "x", b"x")
    assert sorted(path.name for path in tmp_path.iterdir()) == sorted([*names[1:], "x"])


@pytest.mark.skipif(sys.platform == "win32", reason="Windows has no such rights")
@pytest.mark.parametrize(("mask", "rights"), [(0o022, 0o644), (0o077, 0o600), (0o002, 0o664)])
def test_a_file_has_the_rights_that_the_person_asked_for(tmp_path, mask, rights):
    before = os.umask(mask)
    try:
        disk.write_whole(tmp_path / "x", b"x")
    finally:
        os.umask(before)
    assert stat.S_IMODE((tmp_path / "x").stat().st_mode) == rights


def test_nothing_but_the_file_is_left_and_its_name_is_on_the_disk(tmp_path, monkeypatch):
    synced, real = [], os.fsync
    monkeypatch.setattr(os, "fsync", lambda number: synced.append(os.fstat(number).st_mode) or real(number))
    disk.write_whole(tmp_path / "x", b"x")
    assert [path.name for path in tmp_path.iterdir()] == ["x"]
    assert stat.S_ISREG(synced[0])
    if sys.platform != "win32":
        assert stat.S_ISDIR(synced[1])


# --- F201: it is there ---


@pytest.mark.parametrize("door", DOORS)
def test_F201_what_is_from_elsewhere_is_refused_unless_overwrite(door, study, tmp_path):
    (tmp_path / DOORS[door][1]).write_text("mine")
    with pytest.raises(
        al.InputError, match=r"is there and was not written by this library; .*overwrite=True"
    ):
        written(door, study, tmp_path)
    assert [path.name for path in tmp_path.iterdir()] == [DOORS[door][1]]
    assert (tmp_path / DOORS[door][1]).read_text() == "mine"
    written(door, study, tmp_path, overwrite=True)
    assert (tmp_path / DOORS[door][1]).read_bytes() != b"mine"


@pytest.mark.parametrize("door", DOORS)
def test_F201_what_this_library_wrote_is_replaced(door, study, tmp_path):
    written(door, study, tmp_path)
    before = {path: path.read_bytes() for path in tmp_path.iterdir()}
    written(door, study, tmp_path)
    assert {path: path.read_bytes() for path in tmp_path.iterdir()} == before


@pytest.mark.parametrize("door", DOORS)
def test_F201_an_empty_file_is_nobodys(door, study, tmp_path):
    (tmp_path / DOORS[door][1]).touch()
    if door in ("baseline", "sheet"):
        written(door, study, tmp_path)
        assert (tmp_path / DOORS[door][1]).stat().st_size


def test_F201_pictures_are_known_as_ours_by_their_metadata(tmp_path):
    from allocator.report.style import new_axes, pdf, png

    figure = new_axes(1.0).figure
    for name, draw in (("x.pdf", pdf), ("x.png", png)):
        path = tmp_path / name
        path.write_bytes(draw(figure))
        disk.refuse_others([path], [PICTURE_MARK], "path", overwrite=False)
        path.write_bytes(path.read_bytes().replace(PICTURE_MARK, b"another-program---"))
        with pytest.raises(al.InputError, match="was not written by this library"):
            disk.refuse_others([path], [PICTURE_MARK], "path", overwrite=False)


def test_F201_the_command_says_how(tmp_path, capsys):
    (tmp_path / "index.html").write_text("mine")
    assert main(["--out", str(tmp_path), "--start", "1990"]) == 2
    said = capsys.readouterr().err
    assert "index.html' is there and was not written by this library; choose another name" in said
    assert "(--overwrite)" in said
    assert (tmp_path / "index.html").read_text() == "mine"
    assert main(["--out", str(tmp_path), "--start", "1990", "--overwrite"]) == 0


def test_F201_the_article_and_its_json(study, tmp_path):
    from allocator.scoreboard.article import write_records

    path = tmp_path / "a.json"
    write_records(study.board, path, "--json")
    write_records(study.board, path, "--json")
    path.write_text("[1]")
    with pytest.raises(al.InputError, match=r"--json: .* is there and was not written"):
        write_records(study.board, path, "--json")
    write_records(study.board, path, "--json", overwrite=True)


# --- F170, F171: names within a folder ---


@pytest.mark.parametrize(
    "name", ["", "/etc/passwd", "..", "a/../../b", "../x", "a\\b", "C:x", "c:\\x", "a\0b", "."]
)
def test_F170_a_name_that_leads_out_is_refused_with_the_folder(name, tmp_path):
    with pytest.raises(al.InputError, match=r"files: .*" + re.escape(repr(str(tmp_path.resolve())))):
        disk.inside(tmp_path, name, "files")


def test_F171_a_link_that_leads_out_is_refused_and_one_within_is_not(tmp_path):
    root = tmp_path / "root"
    (root / "sub").mkdir(parents=True)
    (root / "out").symlink_to(tmp_path)
    (root / "in").symlink_to(root / "sub")
    (root / "circle").symlink_to(root / "circle")
    with pytest.raises(al.InputError, match=r"'out/x' leads to .*x', outside .*root'"):
        disk.inside(root, "out/x", "files")
    assert disk.inside(root, "in/x", "files") == root / "in" / "x"
    assert disk.inside(root, "sub/x.csv", "files") == root / "sub" / "x.csv"
    assert disk.inside(root, "circle", "files") == root / "circle"


def test_F170_a_folder_of_results_holds_its_files(tmp_path):
    with pytest.raises(al.InputError, match="outside"):
        write_folder(tmp_path / "out", {"../x.csv": b"x"}, overwrite=False)
    assert [path.name for path in tmp_path.rglob("*")] == []
