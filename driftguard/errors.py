"""Every error that driftguard raises on purpose.

::

    DriftguardError             one sentence for the person at the terminal, and what to do next (exit 2)
    ├── ConfigError             config.yaml, a flag or an environment variable is wrong
    ├── TemplateError           a template does not parse or cannot be resolved
    ├── PolicyError             a policy, framework or remedy file is wrong
    ├── InputError              any other file or value handed to us is wrong
    ├── AwsError                AWS said no
    │   ├── AccessDeniedError   the named IAM action is missing
    │   ├── ThrottledError      the retry budget is used up
    │   ├── CredentialsError    none, expired, or not allowed to assume the role
    │   ├── EndpointError       nobody answers there
    │   └── GoneError           the resource does not exist any more
    ├── StoreError              the history store cannot be opened, read or written
    │   └── FencedError         another worker owns this run now
    ├── NotifyError             a channel did not take a message
    └── RefusedError            a guard refused a remediation before its first call

Anything else that escapes is a bug, and is reported as one.
"""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Where:
    """A place in a text that a person wrote: file, and line and column counted from 1."""

    file: str
    line: int | None = None
    column: int | None = None

    def __str__(self) -> str:
        return ":".join(str(part) for part in (self.file, self.line, self.column) if part is not None)


class DriftguardError(Exception):
    """A failure that a person can act on.

    ``message`` says what is wrong in one sentence, ``fix`` what to do about it, ``where`` the place in
    the file at fault, if there is one.
    """

    def __init__(self, message: str, *, fix: str = "", where: Where | None = None) -> None:
        super().__init__(message)
        self.message = message
        self.fix = fix
        self.where = where

    def __str__(self) -> str:
        place = f"{self.where}: " if self.where else ""
        remedy = f" {self.fix}" if self.fix else ""
        return f"{place}{self.message}{remedy}"


class ConfigError(DriftguardError):
    """The configuration file, a flag or an environment variable is wrong."""


class TemplateError(DriftguardError):
    """A template does not parse, or says something that cannot be resolved."""


class PolicyError(DriftguardError):
    """A policy, framework, waiver or remedy file is wrong."""


class InputError(DriftguardError):
    """Another file or value that was handed to us is wrong."""


class AwsError(DriftguardError):
    """AWS refused or failed.  ``code`` is AWS's error code, ``action`` the IAM action of the call."""

    def __init__(
        self, message: str, *, code: str = "", action: str = "", fix: str = "", where: Where | None = None
    ) -> None:
        super().__init__(message, fix=fix, where=where)
        self.code = code
        self.action = action


class AccessDeniedError(AwsError):
    """The caller lacks the IAM action named in ``action``."""


class ThrottledError(AwsError):
    """AWS still throttles after the retry budget is used up."""


class CredentialsError(AwsError):
    """Credentials are missing or expired, or the role may not be assumed."""


class EndpointError(AwsError):
    """The endpoint does not answer: no route, no name, refused or timed out."""


class GoneError(AwsError):
    """The resource that was asked for does not exist (any more)."""


class StoreError(DriftguardError):
    """The history store cannot be opened, read or written."""


class FencedError(StoreError):
    """A write came from a worker whose lease on the run is over."""


class NotifyError(DriftguardError):
    """A channel did not take a message.

    ``final``: trying again cannot help.  ``uncertain``: it may have arrived all the same.
    """

    def __init__(self, message: str, *, fix: str = "", final: bool = False, uncertain: bool = False) -> None:
        super().__init__(message, fix=fix)
        self.final = final
        self.uncertain = uncertain


class RefusedError(DriftguardError):
    """A guard refused a remediation before the first call.  ``guard`` is its name."""

    def __init__(self, message: str, *, guard: str, fix: str = "") -> None:
        super().__init__(message, fix=fix)
        self.guard = guard
