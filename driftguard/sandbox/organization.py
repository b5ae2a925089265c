"""The organization that the sandbox's accounts form."""

from __future__ import annotations

from unittest.mock import patch

from driftguard.sandbox.core import World

NAMES = ("management", "production", "development")


def seed(world: World) -> None:
    """Create the organization with the first account as its management account and the rest as members.

    Every member gets the role OrganizationAccountAccessRole that trusts the management account, as in
    AWS.  Moto numbers new accounts at random; for the length of the seeding the numbers are ours.
    """
    management, *members = world.accounts
    assert world.clients is not None, "the gateway provides clients"
    organizations = world.clients("organizations", account=management, region="us-east-1")
    organizations.create_organization(FeatureSet="ALL")
    names = [*NAMES[1:], *(f"member-{n}" for n in range(len(NAMES), len(world.accounts) + 1))]
    numbers = iter(members)
    with patch("moto.organizations.utils.make_random_account_id", lambda: next(numbers)):
        for name, _ in zip(names, members, strict=False):
            organizations.create_account(Email=f"{name}@example.com", AccountName=name)
