"""Chromium with one font family at a time, since machines differ in what they have."""

import os
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

FOLDERS = (Path("/usr/share/fonts"), Path("/usr/local/share/fonts"))
CONFIGURATION = """<?xml version="1.0"?>
<!DOCTYPE fontconfig SYSTEM "fonts.dtd">
<fontconfig><dir>{fonts}</dir><cachedir>{cache}</cachedir></fontconfig>
"""


@dataclass(frozen=True)
class FontSet:
    """A family, the files of its sans-serif, and the Debian package that brings them."""

    name: str
    files: tuple[str, ...]
    package: str

    def found(self) -> list[Path]:
        """The files on this machine; none where one of them is missing."""
        its = [next((file for folder in FOLDERS for file in folder.rglob(name)), None) for name in self.files]
        return [] if None in its else [file for file in its if file]

    def environment(self, folder: Path) -> Mapping[str, str]:
        """Variables with which a program sees these fonts and no others; `folder` is for its use."""
        fonts = folder / "fonts"
        fonts.mkdir()
        for file in self.found():
            (fonts / file.name).symlink_to(file)
        configuration = folder / "fonts.conf"
        configuration.write_text(CONFIGURATION.format(fonts=fonts, cache=folder / "cache"), encoding="utf-8")
        return {**os.environ, "FONTCONFIG_FILE": str(configuration)}


# The widest that is usual (Verdana is as wide), and one as narrow as Arial and Helvetica.
WIDE = FontSet("DejaVu Sans", ("DejaVuSans.ttf", "DejaVuSans-Bold.ttf"), "fonts-dejavu-core")
NARROW = FontSet("Liberation Sans", ("LiberationSans-Regular.ttf", "LiberationSans-Bold.ttf"), "fonts-liberation")
FONT_SETS = (WIDE, NARROW)
