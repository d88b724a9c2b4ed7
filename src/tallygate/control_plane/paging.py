"""Pages of lists: opaque tokens that name the last item seen, so that a list may change between two pages."""

from base64 import urlsafe_b64decode, urlsafe_b64encode
from collections.abc import Awaitable, Callable, Sequence
from dataclasses import dataclass
from typing import Generic, TypeVar

from tallygate.domain.errors import InvalidFieldError

DEFAULT_PAGE_SIZE = 50
MAX_PAGE_SIZE = 1_000

T = TypeVar("T")
T_co = TypeVar("T_co", covariant=True)


@dataclass(frozen=True, slots=True, kw_only=True)
class PageRequest:
    """Which page: `page_size` 0 asks for the default, an empty token for the first."""

    page_size: int = 0
    page_token: str = ""

    def size(self) -> int:
        """How many items to answer at most.

        Raises:
            InvalidFieldError: the size is negative.
        """
        if self.page_size < 0:
            raise InvalidFieldError(field="page_size", expected=f"0 to {MAX_PAGE_SIZE}", got=self.page_size)
        return min(self.page_size or DEFAULT_PAGE_SIZE, MAX_PAGE_SIZE)

    def after(self) -> str:
        """The last item of the page before, empty for the first page.

        Raises:
            InvalidFieldError: no list handed out this token.
        """
        try:
            after = urlsafe_b64decode(self.page_token + "=" * (-len(self.page_token) % 4)).decode()
        except ValueError:
            after = ""
        if _token(after) != self.page_token or "\x00" in after:
            raise InvalidFieldError(field="page_token", expected="a token that a list answered")
        return after


FIRST_PAGE = PageRequest()


@dataclass(frozen=True, slots=True, kw_only=True)
class Page(Generic[T_co]):
    """Items in order, and the token of the next page: empty on the last."""

    items: Sequence[T_co]
    next_page_token: str = ""


async def page_of(
    request: PageRequest, load: Callable[[str, int], Awaitable[Sequence[T]]], key: Callable[[T], str]
) -> Page[T]:
    """Load one page; `load` takes the key that items come behind and how many."""
    size = request.size()
    items = await load(request.after(), size + 1)
    more = len(items) > size
    return Page(items=items[:size], next_page_token=_token(key(items[size - 1])) if more else "")


def slice_of(request: PageRequest, items: Sequence[T], key: Callable[[T], str]) -> Page[T]:
    """One page of items that are all at hand."""
    size, after = request.size(), request.after()
    behind = sorted((item for item in items if key(item) > after), key=key)
    token = _token(key(behind[size - 1])) if len(behind) > size else ""
    return Page(items=behind[:size], next_page_token=token)


def _token(last: str) -> str:
    return urlsafe_b64encode(last.encode()).decode().rstrip("=")
