"""Reports about gradients in code, as text, Markdown and lines for GitHub."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any, Final

WORDS: Final = {"proved": "right", "refuted": "WRONG", "unknown": "undecided", "unread": "not read"}


def text(report: dict[str, Any]) -> str:
    """The report as lines for a terminal."""
    width = max((len(claim["claim"]) for claim in report["claims"]), default=0)
    lines: list[str] = []
    for claim in report["claims"]:
        lines.append(f"{claim['claim']:<{width}}  {_word(claim)}{_place(claim)}")
        lines += [f"    {row}" for row in rows(claim)]
    lines += [f"note: {note}" for note in report["notes"]]
    summary = report["summary"]
    lines += ["", ", ".join(f"{summary[key]} {WORDS[key].lower()}" for key in WORDS if summary[key])]
    bases = {claim["basis"] for claim in report["claims"]}
    if "proved" in bases:
        lines.append("right, proved: the code is the derivative of forward as a formula; the file was run to follow it")
    if "measured" in bases:
        lines.append("right: agrees with the derivative of forward wherever it was tried; the file was run to find out")
    if not bases & {"proved", "measured"}:
        lines.append("the file was run to find out")
    return "\n".join(lines) + "\n"


def markdown(report: dict[str, Any]) -> str:
    """The report as a Markdown table."""
    lines = ["| gradient | verdict | line | why |", "|---|---|---|---|"]
    for claim in report["claims"]:
        line = claim["where"]["line"] if claim["where"] else ""
        why = "; ".join(rows(claim)).replace("|", "\\|")
        lines.append(f"| `{claim['claim']}` | {_word(claim)} | {line} | {why} |")
    return "\n".join([*lines, "", *(f"* {note}" for note in report["notes"])]) + "\n"


def github(report: dict[str, Any]) -> str:
    """Annotations for GitHub Actions, one a gradient that is not right."""
    lines: list[str] = []
    for claim in report["claims"]:
        if claim["verdict"] != "proved":
            kind = "error" if claim["verdict"] == "refuted" else "warning"
            place = f"file={claim['where']['file']},line={claim['where']['line']}" if claim["where"] else ""
            words = f"{claim['claim']}: {WORDS[claim['verdict']]}. " + ". ".join(rows(claim))
            lines.append(f"::{kind} {place}::" + words.replace("%", "%25").replace("\n", "%0A"))
    return "\n".join(lines) + "\n"


def rows(claim: dict[str, Any]) -> Iterator[str]:
    """What is to be said of one gradient, line by line."""
    deviation, witness = claim["deviation"], claim["witness"]
    if deviation is not None and witness is not None:
        at = ", ".join(map(str, witness["index"]))
        yours, right = float(witness["right"]["value"]), float(witness["left"]["value"])
        yield f"at [{at}]: yours {yours:.6g}, correct {right:.6g}"
        if deviation["ratio"] is not None:
            yield f"yours = {deviation['ratio']:.6g} × correct, in every entry"
        elif deviation["entries"] < deviation["size"]:
            yield f"{deviation['entries']} of {deviation['size']} entries are wrong"
    for number, mistake in enumerate(claim["mistakes"]):
        where = f" (line {mistake['line']})" if mistake["line"] else ""
        head = "likely cause" if not number else "and" if mistake["joint"] else "or"
        head += ", proved" if mistake["proved"] else ""
        yield f"{head}: {mistake['name']}: {mistake['says']}{where}"
    if claim["mistakes"] and claim["mistakes"][0]["fix"]:
        yield f"fix: {claim['mistakes'][0]['fix']}"
    if claim["verdict"] == "refuted" and not claim["mistakes"]:
        yield "cause: none of the usual mistakes reproduces these numbers"
    for condition in claim["conditions"]:
        yield f"needs {condition}"
    if claim["because"] is not None:
        yield f"because: {claim['because']}"
    yield from claim["notes"]


def _word(claim: dict[str, Any]) -> str:
    return WORDS[claim["verdict"]] + (", proved" if claim["basis"] == "proved" else "")


def _place(claim: dict[str, Any]) -> str:
    where = claim["where"]
    return f"  {where['file']}:{where['line']}" if where is not None and claim["verdict"] != "proved" else ""
