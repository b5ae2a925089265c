"""Equality rules for scalars: each proves that a live value is another form of the declared one.

A rule gates itself by schema, property or shape of the value, and folds only what it can show to be equal.
They are asked in this order, cheap ones first; the name is what ``folded`` says.  A new rule is a function in
one of these files, a row here, and a case file of the same name under ``tests/cases/compare``.
"""

from __future__ import annotations

from driftguard.compare.equalities import (
    cases,
    identities,
    networks,
    numbers,
    texts,
    times,
    transforms,
    versions,
)
from driftguard.compare.equalities.place import Place, Rule, Unverifiable

RULES: tuple[tuple[str, Rule], ...] = (
    ("scalar-type", numbers.scalar_type),
    ("numeric-string", numbers.numeric_string),
    ("boolean-token", numbers.boolean_token),
    ("white-space", texts.white_space),
    ("ip-protocol", networks.ip_protocol),
    ("all-protocols", networks.all_protocols),
    ("header-case", cases.header_case),
    ("enum-case", cases.enum_case),
    ("identifier-case", cases.identifier_case),
    ("upper-case-name", cases.upper_case_name),
    ("word-case", cases.word_case),
    ("fixed-name-case", cases.fixed_name_case),
    ("ip-address", networks.ip_address),
    ("network-range", networks.network_range),
    ("quantity", numbers.quantity),
    ("dns-name", texts.dns_name),
    ("trailing-slash", texts.trailing_slash),
    ("escaped-path", texts.escaped_path),
    ("left-out-scheme", texts.left_out_scheme),
    ("base64-text", texts.base64_text),
    ("log-group-arn", identities.log_group_arn),
    ("account-root", identities.account_root),
    ("kms-key", identities.kms_key),
    ("arn-name", identities.arn_name),
    ("secret-arn", identities.secret_arn),
    ("latest-qualifier", identities.latest_qualifier),
    ("opaque-arn", identities.opaque_arn),
    ("service-role", identities.service_role),
    ("zone-prefix", identities.zone_prefix),
    ("rate-expression", times.rate_expression),
    ("iso-duration", times.iso_duration),
    ("weekly-window", times.weekly_window),
    ("instant", times.instant),
    ("rounded-hour", times.rounded_hour),
    ("version-prefix", versions.version_prefix),
    ("automatic-upgrade", versions.automatic_upgrade),
    ("sentinel", versions.sentinel),
    ("recipe-version", versions.recipe_version),
    ("public-key", texts.public_key),
    ("properties-text", texts.properties_text),
    ("access-string", texts.access_string),
    ("masked-non-ascii", texts.masked_non_ascii),
    ("property-transform", transforms.property_transform),
)

__all__ = ["RULES", "Place", "Rule", "Unverifiable"]
