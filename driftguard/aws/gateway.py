"""What all gateways share: one call, and pages that are guaranteed to end."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from typing import Any, ClassVar

from botocore import xform_name
from botocore.exceptions import BotoCoreError, ClientError

from driftguard.aws.refusals import Call, translate
from driftguard.errors import AwsError

# GetResourceConfigHistory has been seen to answer hundreds of empty pages before one with an item
# (boto/boto3#2619), so emptiness alone is no end; this many in a row is a fault.
MAX_EMPTY_PAGES = 2_000


class Gateway:
    """One AWS service in one account and region.

    Subclasses set ``SERVICE`` (botocore's name) and ``PREFIX`` (IAM's).  All methods raise the
    `AwsError` family and nothing of botocore's.
    """

    SERVICE: ClassVar[str]
    PREFIX: ClassVar[str]

    def __init__(self, client: Callable[[str], Any], account: str, region: str) -> None:
        self._client = client
        self.account = account
        self.region = region

    def call(self, operation: str, /, **parameters: Any) -> dict[str, Any]:
        """Make one call.  Parameters that are ``None`` are left out."""
        wanted = {name: value for name, value in parameters.items() if value is not None}
        try:
            method = getattr(self._client(self.SERVICE), xform_name(operation))
            answer: dict[str, Any] = method(**wanted)
        except (ClientError, BotoCoreError) as error:
            raise translate(error, self.described(operation)) from error
        return answer

    def pages(
        self,
        operation: str,
        items: str,
        /,
        *,
        token: str = "NextToken",
        token_in: str | None = None,
        **parameters: Any,
    ) -> Iterator[tuple[Any, ...]]:
        """The lists under ``items``, page by page, empty pages left out.

        ``token`` is the member of the answer that holds the next page's token, ``token_in`` the parameter
        that takes it (the same name by default).  Raises `AwsError` when AWS repeats a token or answers
        nothing but empty pages.
        """
        seen: set[str] = set()
        position: str | None = None
        empty = 0
        while True:
            answer = self.call(operation, **parameters, **{token_in or token: position})
            page = tuple(answer.get(items) or ())
            if page:
                yield page
            position = answer.get(token) or None
            if position is None:
                return
            empty = 0 if page else empty + 1
            if position in seen or empty > MAX_EMPTY_PAGES:
                raise AwsError(
                    f"{self.described(operation)}: the list does not end "
                    f"({'a page token came twice' if position in seen else 'only empty pages'}).",
                    code="EndlessPages",
                    action=f"{self.PREFIX}:{operation}",
                    fix="What came before it was read; run again, and report it to AWS if it stays.",
                )
            seen.add(position)

    def items(
        self,
        operation: str,
        items: str,
        /,
        *,
        token: str = "NextToken",
        token_in: str | None = None,
        **parameters: Any,
    ) -> Iterator[Mapping[str, Any]]:
        """All items of all pages (see `pages`)."""
        for page in self.pages(operation, items, token=token, token_in=token_in, **parameters):
            yield from page

    def described(self, operation: str) -> Call:
        """The call as a sentence for errors."""
        return Call(self.SERVICE, operation, f"{self.PREFIX}:{operation}", self.account, self.region)
