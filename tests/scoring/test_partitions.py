"""A folder with hive partitions is scored as training reads it: the names of folders are columns of text."""

import json
from collections.abc import Callable
from pathlib import Path

import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.csv as pa_csv
import pyarrow.feather as feather
import pyarrow.parquet as pq
import pytest

from scoring import run
from table.parts import parts_of
from tests.scoring.conftest import Score, book_of, rows

pytestmark = pytest.mark.tier("land")


def write_parquet(table: pa.Table, stem: Path) -> None:
    pq.write_table(table, stem.with_suffix(".parquet"), row_group_size=400)


def write_csv(table: pa.Table, stem: Path) -> None:
    pa_csv.write_csv(table, stem.with_suffix(".csv"))


def write_feather(table: pa.Table, stem: Path) -> None:
    feather.write_feather(table, stem.with_suffix(".feather"), chunksize=400)


def write_stream(table: pa.Table, stem: Path) -> None:
    with pa.OSFile(str(stem.with_suffix(".arrows")), "wb") as file, pa.ipc.new_stream(file, table.schema) as writer:
        writer.write_table(table, 600)


def pieces_of(book: pa.Table) -> list[tuple[str, pa.Table]]:
    """Folders by region, shop and whether one is insured, each with its rows without these columns."""
    found = []
    for region in ("north", "south"):
        for shop in (None, "Café", "Toys", "Travel"):
            for insured in (False, True):
                is_it = pc.and_(pc.equal(book["region"], region), pc.equal(book["insured"], insured))
                of_shop = pc.equal(pc.fill_null(book["shop"], "none"), shop or "none")
                folder = f"region={region}/shop={shop or '__HIVE_DEFAULT_PARTITION__'}/insured={int(insured)}"
                table = book.filter(pc.and_(is_it, of_shop)).drop(["region", "shop", "insured"])
                found.append((folder.replace("é", "%C3%A9"), table))
    return found


@pytest.fixture
def plain(tmp_path: Path) -> Path:
    """The rows of the partitions in one file, in the order of the folders' names."""
    book = book_of(6_000)
    pieces = dict(pieces_of(book))
    order = [uuid for folder in sorted(pieces) for uuid in pieces[folder]["uuid"].to_pylist()]
    places = {uuid: place for place, uuid in enumerate(book["uuid"].to_pylist())}
    pq.write_table(book.take([places[uuid] for uuid in order]), tmp_path / "plain.parquet")
    return tmp_path / "plain.parquet"


@pytest.fixture
def book(tmp_path: Path) -> Callable[..., Path]:
    """Writes the partitions by one of the functions above."""

    def written(write: Callable[[pa.Table, Path], None]) -> Path:
        for folder, table in pieces_of(book_of(6_000)):
            (tmp_path / "book" / folder).mkdir(parents=True)
            write(table, tmp_path / "book" / folder / "part-0")
        return tmp_path / "book"

    return written


@pytest.mark.parametrize("write", [write_parquet, write_csv, write_feather, write_stream])
def test_folders_have_the_answers_of_one_file(
    write: Callable[[pa.Table, Path], None], book: Callable[..., Path], plain: Path, score: Score, tmp_path: Path
) -> None:
    assert score(plain, "plain") == 0
    assert score(book(write), "scored") == 0
    assert rows(tmp_path / "scored") == rows(tmp_path / "plain")
    assert score(f"{tmp_path}/book/*/*/*/*", "pattern") == 0
    assert rows(tmp_path / "pattern") == rows(tmp_path / "plain")


@pytest.mark.parametrize("write", [write_parquet, write_csv])
def test_processes_share_a_partition(write: Callable[[pa.Table, Path], None], score: Score, tmp_path: Path) -> None:
    book = book_of(2_500)
    pq.write_table(book.drop("region").append_column("region", pa.array(["south"] * 2_500)), tmp_path / "plain.parquet")
    (tmp_path / "book/region=south").mkdir(parents=True)
    write(book.drop("region"), tmp_path / "book/region=south/part-0")
    assert score(tmp_path / "plain.parquet", "plain") == 0
    assert score(tmp_path / "book", "scored", "--workers", "2") == 0
    assert len(list((tmp_path / "scored").glob("part-*"))) > 2
    assert rows(tmp_path / "scored") == rows(tmp_path / "plain")


def test_rows_are_left_out_by_the_name_of_a_folder(
    book: Callable[..., Path], plain: Path, score: Score, tmp_path: Path
) -> None:
    folder = book(write_csv)
    tests = folder / "desk=test/region=north/shop=Toys/insured=1"
    tests.mkdir(parents=True)
    write_csv(book_of(3, seed=1).drop(["region", "shop", "insured"]), tests / "part-0")
    assert score(plain, "plain") == 0
    assert score(folder, "scored", "--exclude", "desk=test") == 0
    assert rows(tmp_path / "scored") == rows(tmp_path / "plain")
    summary = json.loads((tmp_path / "scored/summary.json").read_text())
    assert summary["rows"] == {"read": 6_003, "scored": 6_000, "rejected": 0, "left_out": 3}
    assert [(entry["column"], entry["value"], entry["rows"]) for entry in summary["exclusions"]] == [
        ("desk", "test", 3)
    ]


def test_rejected_rows_keep_their_numbers_and_names(score: Score, tmp_path: Path) -> None:
    (tmp_path / "book/region=south").mkdir(parents=True)
    pa_csv.write_csv(book_of(1_500).drop("region"), tmp_path / "plain.csv")
    lines = (tmp_path / "plain.csv").read_text().splitlines()
    lines[3], lines[1_201] = "a,1", "b,2"
    (tmp_path / "book/region=south/part-0.csv").write_text("\n".join(lines))
    assert score(tmp_path / "book") == 0
    assert pa_csv.read_csv(tmp_path / "scored/rejects.csv")["row"].to_pylist() == [3, 1_201]


def test_a_column_that_the_file_has_too_is_refused_as_by_training(
    score: Score, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    (tmp_path / "book/region=south").mkdir(parents=True)
    for write, name in ((write_parquet, "parquet"), (write_csv, "csv"), (write_feather, "feather")):
        write(book_of(10), tmp_path / "book/region=south/part-0")
        assert score(tmp_path / "book") == 1
        assert f"part-0.{name}: column region is there 2 times; name each column once" in capsys.readouterr().err
        (tmp_path / f"book/region=south/part-0.{name}").unlink()


def test_a_dry_run_reads_them_too(book: Callable[..., Path], model: Path, tmp_path: Path) -> None:
    words = ["--data", str(book(write_parquet)), "--out", str(tmp_path / "out"), "--model", str(model), "--dry-run"]
    assert run.main(words) == 0


def test_names_of_folders_that_no_column_asks_for_are_not_read(score: Score, tmp_path: Path) -> None:
    (tmp_path / "book/year=2015").mkdir(parents=True)
    write_parquet(book_of(100), tmp_path / "book/year=2015/part-0")
    assert score(tmp_path / "book") == 0
    [part] = parts_of(str(tmp_path / "book"), tmp_path / "book")
    assert part.values == {"year": "2015"}
    assert len(rows(tmp_path / "scored")) == 100
