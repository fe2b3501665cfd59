"""Encrypted values: what is in the file, what comes back, and what another key gets to see."""

from __future__ import annotations

import operator
from dataclasses import dataclass
from typing import Annotated, TypedDict

import pytest
from langgraph.checkpoint.serde.encrypted import EncryptedSerializer as Theirs

from nbhitl.checkpoint.memory import InMemorySaver
from nbhitl.checkpoint.serde import Serde
from nbhitl.checkpoint.serde.encrypted import EncryptedSerializer
from nbhitl.checkpoint.sqlite import SqliteSaver
from nbhitl.errors import StoreError
from nbhitl.graph import START, StateGraph
from nbhitl.types import Command, interrupt

CONFIG = {"configurable": {"thread_id": "1"}}
SECRET = "the secret word"


@dataclass
class Note:
    text: str


class State(TypedDict):
    notes: Annotated[list, operator.add]
    note: Note | None


class Backwards:
    """A cipher that fools nobody."""

    def encrypt(self, plaintext):
        return "backwards", plaintext[::-1]

    def decrypt(self, ciphername, ciphertext):
        assert ciphername == "backwards"
        return ciphertext[::-1]


def aes(key=b"0123456789abcdef"):
    pytest.importorskip("Crypto")
    return EncryptedSerializer.from_pycryptodome_aes(key=key)


def ask(state):
    return {"notes": [interrupt({"about": SECRET})], "note": Note(SECRET)}


def graph(saver):
    return StateGraph(State).add_node("ask", ask).add_edge(START, "ask").compile(checkpointer=saver)


def test_what_is_in_the_file_and_what_comes_back(tmp_path):
    path = tmp_path / "threads.db"
    with SqliteSaver.from_conn_string(str(path)) as opened:
        made = graph(SqliteSaver(opened.conn, serde=aes()))
        made.invoke({"notes": [SECRET]}, CONFIG)
        opened.conn.execute("PRAGMA wal_checkpoint(TRUNCATE)")
        assert SECRET.encode() not in path.read_bytes()
    with SqliteSaver.from_conn_string(str(path)) as opened:
        made = graph(SqliteSaver(opened.conn, serde=aes()))
        assert made.get_state(CONFIG).interrupts[0].value == {"about": SECRET}
        assert made.invoke(Command(resume=SECRET), CONFIG) == {
            "notes": [SECRET, SECRET],
            "note": Note(SECRET),
        }
        opened.conn.execute("PRAGMA wal_checkpoint(TRUNCATE)")
        assert SECRET.encode() not in path.read_bytes()
        assert [len(kept.values.get("notes", [])) for kept in made.get_state_history(CONFIG)] == [2, 1, 0]
        other = graph(SqliteSaver(opened.conn, serde=aes(b"another key.....")))
        with pytest.raises(StoreError, match=r"thread '1', checkpoint .* cannot be decrypted .*another key"):
            other.get_state(CONFIG)


def test_a_cipher_of_ones_own():
    serde = EncryptedSerializer(Backwards())
    made = graph(InMemorySaver(serde=serde))
    made.invoke({"notes": []}, CONFIG)
    assert made.invoke(Command(resume="yes"), CONFIG)["notes"] == ["yes"]
    kind, data = serde.dumps_typed({"a": (1, 2)})
    assert kind == "msgpack+backwards"
    assert serde.loads_typed((kind, data)) == {"a": (1, 2)}
    assert serde.loads_typed(serde.serde.dumps_typed([1])) == [1]


@pytest.mark.parametrize(
    ("method", "given"), [("register", Note), ("register_new", Note), ("trust", frozenset({__name__}))]
)
def test_classes_are_made_known_to_the_serializer_inside(method, given):
    serde = EncryptedSerializer(Backwards(), Serde())
    getattr(serde, method)(given)
    assert serde.loads_typed(serde.dumps_typed(Note("x"))) == Note("x")
    assert getattr(EncryptedSerializer(Backwards(), Backwards()), method)(given) is None


def test_it_is_encrypted_as_by_langgraph():
    ours, theirs = aes(), Theirs.from_pycryptodome_aes(key=b"0123456789abcdef")
    for one, other in ((ours, theirs), (theirs, ours)):
        assert one.loads_typed(other.dumps_typed({"a": [1, "x"]})) == {"a": [1, "x"]}
    kind, data = ours.dumps_typed({"a": 1})
    for changed in (data[:-1] + bytes([data[-1] ^ 1]), data + b"0", data[:5], b""):
        with pytest.raises(StoreError, match="cannot be decrypted"):
            ours.loads_typed((kind, changed))


def test_the_key_of_the_environment(monkeypatch):
    pytest.importorskip("Crypto")
    for make in (EncryptedSerializer, Theirs):
        monkeypatch.delenv("LANGGRAPH_AES_KEY", raising=False)
        with pytest.raises(ValueError, match="LANGGRAPH_AES_KEY environment variable is not set"):
            make.from_pycryptodome_aes()
        monkeypatch.setenv("LANGGRAPH_AES_KEY", "short")
        with pytest.raises(ValueError, match="LANGGRAPH_AES_KEY must be 16, 24, or 32 bytes long"):
            make.from_pycryptodome_aes()
        monkeypatch.setenv("LANGGRAPH_AES_KEY", "0123456789abcdef")
        assert make.from_pycryptodome_aes().loads_typed(aes().dumps_typed("x")) == "x"
        with pytest.raises(ValueError, match="Incorrect AES key length"):
            make.from_pycryptodome_aes(key=b"x").dumps_typed(1)
