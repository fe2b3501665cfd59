"""Which namespaces items can be in."""

from __future__ import annotations


class InvalidNamespaceError(ValueError):
    """A namespace that no item can have."""


def checked_namespace(namespace: tuple[str, ...]) -> tuple[str, ...]:
    """Return `namespace` if items can be put there.

    Raises:
        InvalidNamespaceError: they cannot.
    """
    if not namespace:
        raise InvalidNamespaceError("Namespace cannot be empty.")
    checked_labels(namespace)
    if namespace[0] == "langgraph":
        raise InvalidNamespaceError(f'Root label for namespace cannot be "langgraph". Got: {namespace}')
    return namespace


def checked_labels(namespace: tuple[str, ...]) -> tuple[str, ...]:
    """Return `namespace` if its labels are such that items can be there, or below it.

    Raises:
        InvalidNamespaceError: they are not.
    """
    for label in namespace:
        if not isinstance(label, str):
            raise InvalidNamespaceError(
                f"Invalid namespace label '{label}' found in {namespace}. Namespace labels must be strings, "
                f"but got {type(label).__name__}."
            )
        if "." in label:
            raise InvalidNamespaceError(
                f"Invalid namespace label '{label}' found in {namespace}. Namespace labels cannot contain "
                "periods ('.')."
            )
        if "\0" in label:
            raise InvalidNamespaceError(
                f"Invalid namespace label '{label}' found in {namespace}. PostgreSQL's text cannot hold a NUL character."
            )
        if not label:
            raise InvalidNamespaceError(
                f"Namespace labels cannot be empty strings. Got {label} in {namespace}"
            )
    return namespace
