"""The address of an object in S3, or of the prefix that several share: s3://bucket/key."""

import re
from dataclasses import dataclass
from pathlib import PurePath

from cli.errors import WRONG_USAGE, UserError

REMOTE = "s3://"
BUCKET = re.compile(r"[a-z0-9][a-z0-9.-]{1,61}[a-z0-9]")
LONGEST_KEY = 1_024  # bytes of UTF-8
PATTERN = "*?["  # signs of a name that stands for several


def is_remote(name: str) -> bool:
    """True if a file's name is an address in S3."""
    return name.startswith(REMOTE)


def is_aside(relative: PurePath) -> bool:
    """True if a path in a folder of a table's parts is not a part: hidden, or begun with `_` by Spark."""
    return any(piece.startswith((".", "_")) and "=" not in piece for piece in relative.parts)


@dataclass(frozen=True, slots=True)
class Address:
    """Address of an object; its text is `s3://bucket/key`."""

    bucket: str
    key: str

    @classmethod
    def of_object(cls, text: str) -> "Address":
        """The address of one object. Raises UserError, exit status 2, for any other text."""
        address = cls._parsed(text, "s3://bucket/key")
        if address.key.endswith("/"):
            raise UserError(f"{text}: expected the address of a file, got a folder; name the file", WRONG_USAGE)
        return address

    @classmethod
    def of_table(cls, text: str) -> "Address":
        """The address of one object, of a folder of them (with a slash at its end), or a pattern of their keys."""
        address = cls._parsed(text, "s3://bucket/key")
        return address if address.is_several else cls.of_object(text)

    @property
    def is_several(self) -> bool:
        """True if this names a folder or is a pattern."""
        return self.key.endswith("/") or any(sign in self.key for sign in PATTERN)

    @classmethod
    def of_prefix(cls, text: str) -> "Address":
        """The address under which objects are, without a slash at its end. Raises as `of_object` does."""
        address = cls._parsed(text, "s3://bucket/prefix")
        return cls(address.bucket, address.key.rstrip("/"))

    @classmethod
    def _parsed(cls, text: str, form: str) -> "Address":
        bucket, _, key = text.removeprefix(REMOTE).partition("/")
        if not is_remote(text):
            problem = "got none"
        elif not BUCKET.fullmatch(bucket):
            problem = f'got the bucket "{bucket}"; a bucket has 3 to 63 of a-z, 0-9, hyphen and dot'
        elif not key.strip("/"):
            problem = f"got no {form.rpartition('/')[2]}; name one"
        elif len(key.encode(errors="replace")) > LONGEST_KEY:
            problem = f"got a key of more than {LONGEST_KEY:,} bytes; shorten it"
        else:
            return cls(bucket, key)
        raise UserError(f"{text}: expected {form}, {problem}", WRONG_USAGE)

    @property
    def before_pattern(self) -> "Address":
        """The folder that a pattern, or an address with a slash at its end, begins with; no slash at its own."""
        signs = [place for sign in PATTERN if (place := self.key.find(sign)) >= 0]
        return Address(self.bucket, self.key[: min(signs, default=None)].rpartition("/")[0])

    def __truediv__(self, name: str) -> "Address":
        """The address of an object below this one."""
        return Address(self.bucket, f"{self.key}/{name}" if self.key else name)

    def __str__(self) -> str:
        """The address as a URL, s3://bucket/key."""
        return f"{REMOTE}{self.bucket}/{self.key}"
