"""A graph whose node asks."""

from __future__ import annotations


def asking(lib, payload, effects=None):
    def node(state):
        answer = lib.interrupt(payload)
        if effects is not None:
            effects.append(answer)
        return {"log": [answer]}

    return node
