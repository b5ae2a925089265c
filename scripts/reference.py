"""Write the reference pages from the code, or check that they are up to date.

``python -m scripts.reference`` writes, ``python -m scripts.reference --check`` exits with 1 and names each
page that differs.  A page is a function in `PAGES`.
"""

from __future__ import annotations

import sys
from collections.abc import Callable
from pathlib import Path

from driftguard.aws.permissions import reference_page as permissions
from driftguard.declared.reference import identifiers_page
from driftguard.live.reference import shapes_page
from driftguard.rules.reference import reference_page as policies
from scripts import (
    reference_cli,
    reference_database,
    reference_deploy,
    reference_outputs,
    reference_settings,
)

ROOT = Path(__file__).parents[1]
PAGES: dict[str, Callable[[], str]] = {
    "config.example.yaml": reference_settings.example,
    "docs/reference/settings.md": reference_settings.page,
    "docs/reference/cli.md": reference_cli.page,
    "docs/reference/database.md": reference_database.page,
    "docs/reference/permissions.md": permissions,
    "docs/reference/policies.md": policies,
    "docs/reference/config-shapes.md": shapes_page,
    "docs/reference/identifiers.md": identifiers_page,
    "deploy/cloudformation/member-roles.yaml": reference_deploy.filled(
        "deploy/cloudformation/member-roles.yaml"
    ),
    "deploy/cloudformation/service-fargate.yaml": reference_deploy.filled(
        "deploy/cloudformation/service-fargate.yaml"
    ),
    "deploy/terraform/member/computed.tf.json": reference_deploy.terraform,
    **reference_outputs.PAGES,
}


def main(arguments: list[str]) -> int:
    stale = []
    for name, make in PAGES.items():
        path, text = ROOT / name, make()
        if path.is_file() and path.read_text(encoding="utf-8") == text:
            continue
        stale.append(name)
        if "--check" not in arguments:
            path.parent.mkdir(parents=True, exist_ok=True)
            path.write_text(text, encoding="utf-8")
    for name in stale:
        print(
            f"{name}: {'differs from the code; run make docs-write' if '--check' in arguments else 'written'}"
        )
    return 1 if stale and "--check" in arguments else 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
