"""A command whose extra is not installed says which one, instead of calling itself broken."""

from __future__ import annotations

import importlib.metadata
import re
import subprocess
import sys
from pathlib import Path

import pytest

from driftguard.cli.extras import _MODULES, advice

HIDE = """
import sys
class Hidden:
    def find_spec(self, name, path=None, target=None):
        if name.partition(".")[0] == {module!r}:
            raise ModuleNotFoundError(f"No module named {{name!r}}", name=name)
sys.meta_path.insert(0, Hidden())
from driftguard.cli.root import run
sys.exit(run({arguments!r}))
"""


@pytest.mark.parametrize(
    ("module", "arguments", "extra"),
    [
        ("starlette", ["serve"], "service"),
        ("moto", ["demo"], "sandbox"),
        ("werkzeug", ["sandbox"], "sandbox"),
        ("orjson", ["compare", "--cases", "/dev/null"], ""),
    ],
)
def test_what_is_missing_is_named_with_its_extra(
    module: str, arguments: list[str], extra: str, tmp_path: Path
) -> None:
    script = HIDE.format(module=module, arguments=arguments)
    done = subprocess.run(
        [sys.executable, "-c", script], cwd=tmp_path, capture_output=True, text=True, timeout=60, check=False
    )
    assert done.returncode == 2 and len(done.stderr.strip().splitlines()) == 1, done.stderr
    if extra:
        assert f"driftguard-aws[{extra}]" in done.stderr and "bug" not in done.stderr
    else:
        assert "this is a bug" in done.stderr


def test_every_extra_of_the_distribution_is_known() -> None:
    declared = importlib.metadata.metadata("driftguard-aws").get_all("Provides-Extra") or []
    assert set(_MODULES) == set(declared) - {"dev"}


def test_every_package_of_an_extra_is_known() -> None:
    for requirement in importlib.metadata.requires("driftguard-aws") or ():
        found = re.match(r"([A-Za-z0-9_.-]+).*extra == [\'\"](\w+)", requirement)
        if found is None or found[2] == "dev":
            continue
        module = re.split(r"-(?:sdk|exporter)", found[1])[0].replace("-", "_")
        assert any(module in modules for modules in _MODULES.values()), requirement


def test_a_module_of_no_extra_is_no_advice() -> None:
    assert advice(ModuleNotFoundError("x", name="boto3")) is None
