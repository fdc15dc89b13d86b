"""The content of a file before its compression, and its text in UTF-8."""

import bz2
import codecs
import gzip
import io
import lzma
import zipfile
from collections.abc import Callable, Mapping
from typing import IO

from cli.errors import UserError
from cli.words import listed, shown
from storage.damaged import DAMAGED
from table.workbook import is_workbook

ZIP, OLD_EXCEL = b"PK\x03\x04", b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1"
PACKERS: Mapping[bytes, Callable[[io.BytesIO], io.BufferedIOBase]] = {
    b"\x1f\x8b": lambda packed: gzip.GzipFile(fileobj=packed),
    b"BZh": bz2.BZ2File,
    b"\xfd7zXZ\x00": lzma.LZMAFile,
}
# Members that only these formats have.
OFFICE = {
    "xl/workbook.bin": "a binary workbook (xlsb)",
    "content.xml": "an OpenDocument",
    "[Content_Types].xml": "a document of Office, not a workbook",
}
SAVE_AS = "save it as xlsx, or its sheet as CSV UTF-8"
# Tables become 3 to 30 times as large. What becomes larger than this, and this many times, was made to fill the memory.
LARGE, MOST_TIMES = 256 * 2**20, 200
ZSTANDARD = b"\x28\xb5\x2f\xfd"
# UTF-32's first: that of little-endian begins with UTF-16's.
MARKS = (
    (codecs.BOM_UTF32_LE, "utf-32"),
    (codecs.BOM_UTF32_BE, "utf-32"),
    (codecs.BOM_UTF16_LE, "utf-16"),
    (codecs.BOM_UTF16_BE, "utf-16"),
)


def unpacked(name: str, content: bytes) -> bytes:
    """The content of a file compressed by gzip, bzip2, xz or as a zip of one file; other content is returned unchanged.

    A workbook of Excel is returned unchanged, too. Raises UserError for damaged content, for a zip of several files and
    for workbooks of formats that are not supported.
    """
    if content.startswith((ZIP, OLD_EXCEL)):
        return _of_zip(name, content)
    if content.startswith(ZSTANDARD):
        raise UserError(f"{name}: is compressed with zstandard; decompress it with zstd -d")
    for magic, unpack in PACKERS.items():
        if content.startswith(magic):
            try:
                with unpack(io.BytesIO(content)) as opened:
                    held = _read(name, opened, len(content))
                return _of_zip(name, held) if held.startswith(ZIP) else held
            except (*DAMAGED, OSError, ValueError) as error:
                raise UserError(f"{name}: the compressed file is damaged: {error}; copy it again") from error
    return content


def _of_zip(name: str, content: bytes) -> bytes:
    try:
        with zipfile.ZipFile(io.BytesIO(content)) as packed:
            files = [entry.filename for entry in packed.infolist() if not entry.is_dir()]
            if is_workbook(files):
                _refuse_expanding(name, packed, len(content))
                return content
            if odd := next((what for member, what in OFFICE.items() if member in files), None):
                raise UserError(f"{name}: is {odd}; {SAVE_AS}")
            files = [file for file in files if not file.startswith("__MACOSX/")]
            if len(files) != 1:
                held = f"holds {len(files)} files ({listed(files)})" if files else "holds no file"
                raise UserError(f"{name}: the zip {held}, expected one file; extract it and name the file")
            entry = packed.getinfo(files[0])
            with packed.open(entry) as opened:
                held_by_it = _read(name, opened, entry.compress_size)
            return _of_zip(name, held_by_it) if held_by_it.startswith(ZIP) else held_by_it
    except DAMAGED as error:
        if content.startswith(ZIP):
            raise UserError(f"{name}: the zip cannot be extracted: {error}; extract it, and name the file") from error
    raise UserError(f"{name}: is a workbook of Excel before 2007, or has a password; {SAVE_AS}")


def _refuse_expanding(name: str, packed: zipfile.ZipFile, size: int) -> None:
    expanded = sum(entry.file_size for entry in packed.infolist())
    if expanded > max(LARGE, MOST_TIMES * size):
        raise UserError(f"{name}: {size:,} compressed bytes expand to {expanded:,}; save the sheet as CSV UTF-8")


def _read(name: str, opened: io.BufferedIOBase | IO[bytes], packed: int) -> bytes:
    """All that a packed file of so many bytes holds; UserError where it does not end."""
    most = max(LARGE, MOST_TIMES * packed)
    content = opened.read(most + 1)
    if len(content) > most:
        raise UserError(
            f"{name}: {packed:,} compressed bytes expand to more than {most:,}; if that is right, decompress it first"
        )
    return content


def in_utf8(name: str, content: bytes, encoding: str | None) -> bytes:
    """Text of an encoding (None: UTF-8, or that of the byte order mark) in UTF-8.

    Raises UserError where it is not text of that encoding.
    """
    if encoding is None:
        encoding = next((found for mark, found in MARKS if content.startswith(mark)), None)
        if encoding is None:
            return content
    try:
        return content.decode(encoding).encode()
    except UnicodeError as error:
        start = error.start if isinstance(error, UnicodeDecodeError) else 0
        line = content.count(b"\n", 0, start) + 1
        raise UserError(f"{name}: line {line} is not {encoding} text; correct data.encoding") from error


def encoding_fault(encoding: str) -> str | None:
    """Fault in the name of an encoding, in words."""
    try:
        "".encode(encoding)
    except (LookupError, ValueError):
        return f'no encoding is called {shown(encoding)}; for example "cp1252", "utf-16" or "latin-1"'
    return None
