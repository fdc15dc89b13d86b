"""`python -m delivery.prose`: refuses phrases that are not the field's English, and names of tests that are no rule."""

if __name__ == "__main__":  # before the imports, which Ctrl-C may interrupt
    from cli.entry import start

    start("delivery.prose")


import ast
import re
from collections.abc import Iterator, Sequence
from pathlib import Path

from cli import command
from cli.errors import UserError
from cli.parser import Parser

ROOT = Path(__file__).parents[1]
SUFFIXES = {".css", ".html", ".j2", ".js", ".md", ".py", ".toml", ".yaml", ".yml"}
EXEMPT = {Path(__file__), ROOT / "tests/delivery/test_prose.py"}  # they quote the phrases
# By pattern, what to write instead. Word boundaries are added; capitals do not count.
BANNED = {
    "(hang|hangs|hung) on": "depend on",
    r"(tell|tells|told|telling) ([\w ]{1,30} )?apart": "distinguish or separate",
    "(find|finds|finding|found) out": "detect",
    "(goes|going|went) on to": "continue",
    "the same command goes on": "the same command resumes",
    r"(\w+ )?(is|are) (?-i:none)(?! [%|)])": "is not a …, there is no …, or without …",
    "(take|takes|took) (its|the|their) place": "replace",
    "(is|are|was|were|be) told": "receive, be given, or name who says it",
    "whoever": "anyone who, the user, or name them",
    "in the place of": "instead of",
    "(come|comes|came) to (the same|every|each|both)": "reach",
}
# What a docstring does not begin with: it names the thing or begins with an imperative verb.
NO_BEGINNING = ("What", "Whether", "Of", "Who", "That", "Those", "These", "How")


def main(arguments: Sequence[str] | None = None) -> int:
    """Run the command and return its exit status."""
    parser = Parser(prog="python -m delivery.prose", description="Refuse banned phrases in code and documentation.")
    parser.add_argument("paths", nargs="*", metavar="PATH", help="files or folders (default: the repository)")
    options = parser.parse_args(arguments)
    return command.run(lambda: check(options.paths or [str(ROOT)]), "nothing was changed")


def check(paths: Sequence[str]) -> None:
    """Print a line for each banned phrase; raise UserError if there are any."""
    found = [line for path in paths for file in _texts(Path(path)) for line in faults(file)]
    if found:
        print("\n".join(found))  # noqa: T201  (the result, on standard output)
        raise UserError(
            f"expected no banned phrase, got {len(found)}; {Path(__file__).name} says what to write instead"
        )


def faults(file: Path) -> Iterator[str]:
    """A line for each fault of a file: place, phrase or name, remedy.

    A sentence has a subject, a verb and more; a method may take its subject from the name of its class.
    """
    text = file.read_text(encoding="utf-8")
    for phrase, remedy in BANNED.items():
        for match in re.finditer(rf"\b{phrase}\b", text, re.IGNORECASE):
            yield f"{file}:{text.count(chr(10), 0, match.start()) + 1}: {match[0]!r}: write {remedy}"
    if file.suffix == ".py":
        try:
            tree = ast.parse(text)
        except SyntaxError as fault:
            raise UserError(f"{file}:{fault.lineno}: expected Python, got {fault.msg}") from None
        for its in tree.body:
            if isinstance(its, ast.FunctionDef) and re.fullmatch(r"test(_[^_]+){,2}", its.name):
                yield f"{file}:{its.lineno}: {its.name}: name the rule that the test holds, a sentence with its verb"
        for node in ast.walk(tree):
            match node:
                case ast.Module() | ast.ClassDef() | ast.FunctionDef() | ast.AsyncFunctionDef():
                    begun = (ast.get_docstring(node) or "").split(maxsplit=1)[:1]
                    if begun and begun[0].strip(",:") in NO_BEGINNING:
                        wrong = f"docstring begins with {begun[0]!r}: name the thing, or use the imperative"
                        yield f"{file}:{node.body[0].lineno}: {wrong}"


def _texts(path: Path) -> Iterator[Path]:
    if path.is_file():
        if path.resolve() not in EXEMPT:
            yield path
        return
    for child in sorted(path.iterdir()):
        if child.name.startswith(".") or child.name in ("node_modules", "build", "artifacts", "model", "dist"):
            continue
        if child.is_dir() or child.suffix in SUFFIXES:
            yield from _texts(child)
