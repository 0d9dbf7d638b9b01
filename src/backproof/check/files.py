"""Files with claims in them: worksheets and documents, by the ends of their names."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Final

from backproof.check.document.reader import Report, check_document
from backproof.check.document.sources import MAX_DOCUMENT, SUFFIXES
from backproof.check.worksheet.sheet import check_worksheet
from backproof.errors import FileError, LimitError

STANDARD_INPUT: Final = "-"


def names_a_file(argument: str) -> bool:
    """Whether an argument of `check` names a file and no claim.

    >>> names_a_file("notes.md"), names_a_file("a - y"), names_a_file("dJ/dz = a.md")
    (True, False, False)
    """
    text = argument.strip()
    return "=" not in text and "\n" not in text and Path(text).suffix.lower() in SUFFIXES


def check_file(name: str) -> Report:
    """The claims of a worksheet or document. Raises FileError for a file that cannot be read."""
    path = Path(name)
    kind = SUFFIXES.get(path.suffix.lower())
    if kind is None:
        raise FileError("files of this kind are not read", expected="one of " + ", ".join(SUFFIXES), got=name)
    text = _text(path)
    if kind == "worksheet":
        claims = check_worksheet(text, name)
        return Report(name, claims, len(claims), len(claims), 0, text)
    return check_document(text, name, kind)


def _text(path: Path) -> str:
    try:
        if not path.is_file():
            raise FileError("there is no such file", got=str(path), next="name an existing file")
        if path.stat().st_size > MAX_DOCUMENT:
            raise LimitError(
                "the file is too long", expected=f"at most {MAX_DOCUMENT // 1024 // 1024} MB", got=str(path)
            )
        data = path.read_bytes()
    except OSError as error:
        raise FileError(f"the file cannot be read: {error.strerror}", got=str(path)) from None
    try:
        return data.decode("utf-8-sig")
    except UnicodeDecodeError:
        return data.decode("cp1252", errors="replace")


def verdicts(reports: Sequence[Report]) -> set[str]:
    """The verdicts that occur in reports."""
    return {claim.verdict for report in reports for claim in report.claims}
