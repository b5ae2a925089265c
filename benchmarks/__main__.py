"""List the benchmarks, or run some of them one after the other.

    python -m benchmarks            what there is
    python -m benchmarks compare    one of them
    python -m benchmarks all        every one, in the order of their names

Each runs in a process of its own, as ``python -m benchmarks.NAME`` does, with its own defaults.
"""

from __future__ import annotations

import ast
import subprocess
import sys
from collections.abc import Mapping
from pathlib import Path

FOLDER = Path(__file__).parent


def benchmarks() -> Mapping[str, str]:
    """Name -> what it measures, from the first line of its docstring."""
    found = {}
    for path in sorted(FOLDER.glob("*.py")):
        if not path.stem.startswith("_"):
            text = ast.get_docstring(ast.parse(path.read_text(encoding="utf-8"))) or ""
            found[path.stem] = text.split("\n", 1)[0]
    return found


def main(arguments: list[str]) -> int:
    """Run what is named; 0 when all of it ended well, 1 when not, 2 for a name that there is not."""
    known = benchmarks()
    if not arguments:
        width = max(map(len, known))
        for name, text in known.items():
            print(f"{name:{width}}  {text}")
        return 0
    names = list(known) if arguments == ["all"] else arguments
    unknown = [name for name in names if name not in known]
    if unknown:
        print(f"there is no benchmark {', '.join(unknown)}; there are {', '.join(known)}", file=sys.stderr)
        return 2
    failed = 0
    for name in names:
        print(f"== {name}: {known[name]}", flush=True)
        # Only our own modules, by the names that were just listed.
        failed |= subprocess.run([sys.executable, "-m", f"benchmarks.{name}"], check=False).returncode != 0
    return int(failed)


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
