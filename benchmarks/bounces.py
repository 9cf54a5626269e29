"""What follows from real bounces and complaints, by the kind that a list beside them expects.

`python -m benchmarks.bounces [FOLDER]` reads `NAME.eml` for every name of `FOLDER/expected.json` (each with a
`reason`), by default `$PAPERS_REFERENCE/corpora/bounces`, as bounces of one of our own mails, and prints a table.
`--show` names the mails that missed. Exit code 0: within the bounds, 1: not, 2: no mails.
"""

from __future__ import annotations

import argparse
import json
import os
import sys
from collections import Counter
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

from bot.channel import MAIL
from bot.signing import SignedLinks
from channels.email.bounces import MailKind, classify

LEAST_ACTED_ON = 0.9
"""Share of missing mailboxes and hosts that must be gone or a strike, and of full mailboxes that must be a strike."""
MISSING = frozenset({"userunknown", "hasmoved", "hostunknown"})
FULL = frozenset({"mailboxfull"})
COMPLAINT = frozenset({"feedback"})
NO_COMPLAINT = b"auth-failure"
"""A report of failed authentication has the form of a complaint, but no reader complains in it."""
ACTED_ON = frozenset({MailKind.GONE, MailKind.STRIKE})
LINKS = SignedLinks(["a-secret-for-a-benchmark-of-bounces"], None)
TOKEN = LINKS.sign(MAIL, "12.9l.t3k9x1")


@dataclass(frozen=True, slots=True)
class Judged:
    """A mail, the reason that is expected of it, and what it was taken for."""

    name: str
    reason: str
    kind: MailKind
    said: str


def main() -> int:
    """Print the table and the bounds."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("folder", nargs="?", type=Path, default=None)
    parser.add_argument("--show", action="store_true", help="name the mails that missed")
    chosen = parser.parse_args()
    folder = chosen.folder or Path(os.environ.get("PAPERS_REFERENCE", "")) / "corpora" / "bounces"
    if not (folder / "expected.json").is_file():
        print("no mails: name a folder with expected.json, or set PAPERS_REFERENCE", file=sys.stderr)
        return 2
    judged = judge(folder)
    print_table(judged)
    faults = misses(judged, show=chosen.show)
    return 1 if faults else 0


def judge(folder: Path) -> list[Judged]:
    """Every mail of a folder, read as one that came back to an address with our token."""
    expected: Mapping[str, Mapping[str, str]] = json.loads((folder / "expected.json").read_text("utf-8"))
    found = []
    for name, about in sorted(expected.items()):
        raw = (folder / f"{name}.eml").read_bytes()
        reason = "no complaint" if about["reason"] in COMPLAINT and NO_COMPLAINT in raw else about["reason"]
        became = classify(f"Delivered-To: bounces+{TOKEN}@example.org\r\n".encode() + raw, LINKS)
        found.append(Judged(name, reason, became.kind, became.reason))
    return found


def print_table(judged: list[Judged]) -> None:
    """A row per expected reason, a column per kind."""
    counts = Counter((each.reason, each.kind) for each in judged)
    print(f"{'expected':18}" + "".join(f"{kind.name.lower():>11}" for kind in MailKind))
    for reason in sorted({each.reason for each in judged}):
        print(f"{reason:18}" + "".join(f"{counts[reason, kind] or '':>11}" for kind in MailKind))


def misses(judged: list[Judged], *, show: bool) -> list[str]:
    """The bounds that do not hold; prints each bound with its figure."""
    failed = []
    bounds = (
        ("missing, moved or without host: gone or a strike", MISSING, ACTED_ON, LEAST_ACTED_ON),
        ("full: a strike", FULL, frozenset({MailKind.STRIKE}), LEAST_ACTED_ON),
        ("complaints honoured", COMPLAINT, frozenset({MailKind.COMPLAINT}), 1.0),
        ("others that cost no reader", None, frozenset(MailKind) - {MailKind.GONE}, 1.0),
    )
    print()
    for title, reasons, right, least in bounds:
        of = [each for each in judged if (each.reason not in MISSING if reasons is None else each.reason in reasons)]
        missed = [each for each in of if each.kind not in right]
        fits = len(missed) <= (1 - least) * len(of)
        print(f"{title}: {len(of) - len(missed)} of {len(of)} (at least {least:.0%}){'' if fits else '  MISSED'}")
        failed += [] if fits else [title]
        for each in missed if show else ():
            print(f"    {each.name} ({each.reason}): {each.kind.name.lower()} {each.said[:120]}")
    return failed


if __name__ == "__main__":
    raise SystemExit(main())
