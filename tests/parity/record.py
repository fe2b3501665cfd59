"""The notebook in which a program writes what it sees."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from .describe import Labels, error_name, text

if TYPE_CHECKING:
    from collections.abc import AsyncIterable, Awaitable, Callable, Iterable


class Record:
    """Observations in order; each is frozen as text at once, so that later changes do not show.

    `record(label, value)` writes one down. `record.error(label, call, fragment)` expects a call to raise,
    `record.chunks` drains a stream up to its end or error, `record.bag` notes items whose order is open.
    """

    def __init__(self) -> None:
        self.entries: list[tuple[str, str]] = []
        self._labels = Labels()

    def __call__(self, label: str, value: Any) -> None:
        self.entries.append((label, text(value, self._labels)))

    def separate_run(self) -> None:
        """Forget the ids seen so far: whether two unrelated runs share task ids is nobody's business."""
        self._labels = Labels()

    def error(self, label: str, call: Callable[[], Any], fragment: str = "") -> None:
        """Note the class of what `call` raises, and whether its message holds `fragment`."""
        try:
            value = call()
        except BaseException as error:
            self._raised(label, error, fragment)
        else:
            self(label, {"returned instead of raising": value})

    async def aerror(self, label: str, call: Awaitable[Any], fragment: str = "") -> None:
        """The same for an awaitable."""
        try:
            value = await call
        except BaseException as error:
            self._raised(label, error, fragment)
        else:
            self(label, {"returned instead of raising": value})

    def _raised(self, label: str, error: BaseException, fragment: str) -> None:
        said = {"says": fragment} if fragment in str(error) else {f"lacks {fragment!r}": str(error)}
        self(label, {"raised": error_name(error), **said})

    def chunks(self, label: str, stream: Iterable[Any]) -> list[Any]:
        """Note every chunk of a stream, and the error that ended it if one did; return the chunks."""
        chunks: list[Any] = []
        try:
            chunks.extend(self._each(label, stream))
        except BaseException as error:
            self._raised(f"{label}: ended by", error, "")
        return chunks

    def _each(self, label: str, stream: Iterable[Any]) -> Iterable[Any]:
        for number, chunk in enumerate(stream):
            self(f"{label}[{number}]", chunk)
            yield chunk
        self(f"{label}: end", None)

    async def achunks(self, label: str, stream: AsyncIterable[Any]) -> list[Any]:
        """The same for an asynchronous stream."""
        chunks: list[Any] = []
        try:
            async for chunk in stream:
                self(f"{label}[{len(chunks)}]", chunk)
                chunks.append(chunk)
        except BaseException as error:
            self._raised(f"{label}: ended by", error, "")
        else:
            self(f"{label}: end", None)
        return chunks

    def bag(self, label: str, items: Iterable[Any]) -> None:
        """Note items whose order depends on which of several parallel tasks was faster."""
        self(label, sorted(items, key=lambda item: text(item, Labels())))

    def anonymous_bag(self, label: str, items: Iterable[Any]) -> None:
        """The same for items that may be alike but for their ids: those are labelled item by item."""
        self.entries.append((label, "\n".join(sorted(text(item, Labels()) for item in items))))
