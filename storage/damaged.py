"""Exceptions of the standard library for a zip, or another packed file, that is damaged."""

import lzma
import zipfile
import zlib

# A zip whose directory is whole raises what unpacks its members; RuntimeError is for members with a password,
# NotImplementedError for packers that zipfile does not know.
DAMAGED = (zipfile.BadZipFile, zlib.error, lzma.LZMAError, EOFError, RuntimeError, NotImplementedError)
