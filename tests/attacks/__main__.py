"""Attack the grader; print a table; exit with 1 if anything got through."""

import argparse
import signal
import sys
from pathlib import Path

from .faults import all_faults
from .registry import FAMILIES, all_attacks
from .runner import NoSandboxError, run, table


def main() -> int:
    """Run the attacks and faults that the command line asks for."""
    parser = argparse.ArgumentParser(prog="python -m tests.attacks", description=__doc__)
    parser.add_argument("names", nargs="*", help="attacks, faults and families; all by default")
    parser.add_argument("--harmless", action="store_true", help="leave the destructive ones out")
    parser.add_argument("--list", action="store_true", help="say what there is, and end")
    parser.add_argument("--keep", type=Path, help="a new folder in which the graded course is kept")
    options = parser.parse_args()
    attacks, faults = all_attacks(), all_faults()
    known = {*attacks, *faults, *FAMILIES, "faults"}
    for name in options.names:
        if name not in known:
            parser.error(f"there is no attack, fault or family {name!r}; --list says what there is")
    if options.keep is not None and options.keep.exists():
        parser.error(f"{options.keep} exists; name a folder that does not")
    wanted = set(options.names) or known
    chosen = [a for a in attacks.values() if {a.name, a.family} & wanted]
    broken = [f for f in faults.values() if {f.name, "faults"} & wanted]
    if options.harmless:
        chosen = [a for a in chosen if not a.destructive]
        broken = [f for f in broken if not f.destructive]
    if options.list:
        for a in chosen:
            print(f"{a.name}: {a.family}; {a.tries}{' (destructive)' if a.destructive else ''}")
        for f in broken:
            print(f"{f.name}: {f.what}")
        return 0
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(143))  # so that the course is cleared away
    try:
        report = run(chosen, broken, folder=options.keep)
    except NoSandboxError as error:
        print(error, file=sys.stderr)
        return 1
    print(table(report, chosen, broken))
    return 1 if report.findings else 0


if __name__ == "__main__":
    sys.exit(main())
