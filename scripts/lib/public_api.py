"""Holds what is public against the list of it in public-api.txt, so that nothing becomes public, or goes, by accident.
Prints the difference and ends with 1 if there is one. Run it by scripts/check.

    python3 scripts/lib/public_api.py            the check
    python3 scripts/lib/public_api.py --accept   writes the list anew: read its diff as part of the change
"""

import difflib
import sys
from pathlib import Path

from documentation import SOURCES, declarations

LIST = Path(__file__).with_name("public-api.txt")


def symbols():
    """A line for each public declaration: its target, the types around it and its name. Overloads have one each."""
    for target in SOURCES.iterdir():
        for path in target.rglob("*.swift"):
            for _, kind, name, _, _, enclosing in declarations(path):
                place = [part.replace("/", ".") for part in enclosing]
                yield f"{target.name}: " + ".".join([*place, name or kind])


def main():
    now = sorted(symbols())
    if "--accept" in sys.argv[1:]:
        LIST.write_text("\n".join(now) + "\n")
        return
    listed = LIST.read_text().splitlines()
    changes = [line for line in difflib.ndiff(listed, now) if line[0] in "+-"]
    if not changes:
        return
    print(*changes, sep="\n")
    print("The public interface is not the one of scripts/lib/public-api.txt. What embedders do not need is `package`;")
    print("if the change is meant, accept it with: python3 scripts/lib/public_api.py --accept")
    sys.exit(1)


if __name__ == "__main__":
    main()
