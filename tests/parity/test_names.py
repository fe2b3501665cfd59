"""Every public name that programs import has its counterpart, and takes the same parameters."""

from __future__ import annotations

import inspect
import warnings
from importlib import import_module

import pytest

from .swap import LANGGRAPH, NBHITL

NAMES = {
    "graph": ["StateGraph", "START", "END", "add_messages", "MessagesState"],
    "graph.state": ["StateGraph", "CompiledStateGraph", "StateNodeSpec"],
    "graph.message": ["MessagesState", "add_messages", "REMOVE_ALL_MESSAGES", "push_message"],
    "types": [
        "Command", "interrupt", "Interrupt", "Durability", "Send", "StateSnapshot", "StateUpdate",
        "PregelTask", "TimeoutPolicy", "RetryPolicy", "CachePolicy", "StreamWriter", "Overwrite",
        "StreamMode", "GraphOutput", "TracePolicy", "omit_payload", "DebugPayload",
    ],
    "checkpoint.base": [
        "BaseCheckpointSaver", "Checkpoint", "CheckpointMetadata", "ChannelVersions", "CheckpointTuple",
        "EXCLUDED_METADATA_KEYS", "WRITES_IDX_MAP", "get_checkpoint_id", "get_checkpoint_metadata",
        "get_serializable_checkpoint_metadata", "EmptyChannelError", "create_checkpoint", "JsonPlusSerializer",
    ],
    "checkpoint.base.id": ["uuid6"],
    "checkpoint.serde.types": [
        "ERROR", "INTERRUPT", "RESUME", "SCHEDULED", "TASKS", "ChannelProtocol", "SendProtocol",
    ],
    "checkpoint.serde.base": ["SerializerProtocol", "CipherProtocol", "maybe_add_typed_methods"],
    "checkpoint.serde.encrypted": ["EncryptedSerializer", "CipherProtocol"],
    "checkpoint.memory": ["InMemorySaver", "MemorySaver"],
    "checkpoint.sqlite": ["SqliteSaver"],
    "checkpoint.sqlite.aio": ["AsyncSqliteSaver"],
    "runtime": ["BaseUser", "DEFAULT_RUNTIME", "ExecutionInfo", "Runtime", "get_runtime"],
    "prebuilt": ["ToolNode", "InjectedState", "InjectedStore", "ToolRuntime", "tools_condition"],
    "prebuilt.tool_node": [
        "ToolNode", "InjectedState", "tools_condition", "ToolRuntime", "ToolInvocationError",
        "TOOL_CALL_ERROR_TEMPLATE",
    ],
    "prebuilt.chat_agent_executor": ["AgentState", "AgentStateWithStructuredResponse"],
    "prebuilt.interrupt": ["ActionRequest", "HumanInterrupt", "HumanInterruptConfig"],
    "store.base": ["BaseStore", "get_text_at_path", "tokenize_path", "IndexConfig", "TTLConfig", "ensure_embeddings"],
    "store.base.batch": ["AsyncBatchedBaseStore"],
    "store.base.embed": ["ensure_embeddings", "get_text_at_path", "tokenize_path"],
    "store.memory": ["InMemoryStore"],
    "store.sqlite": ["SqliteStore", "AsyncSqliteStore"],
    "store.sqlite.base": ["SqliteStore", "SqliteIndexConfig"],
    "store.sqlite.aio": ["AsyncSqliteStore"],
    "store.postgres": ["PostgresStore", "AsyncPostgresStore", "PoolConfig"],
    "store.postgres.base": ["PostgresStore", "PostgresIndexConfig", "PoolConfig"],
    "store.postgres.aio": ["AsyncPostgresStore"],
    "typing": ["StateT", "StateT_co", "StateT_contra", "ContextT", "InputT", "OutputT"],
    "warnings": [
        "LangGraphDeprecationWarning", "LangGraphDeprecatedSinceV05", "LangGraphDeprecatedSinceV10",
        "LangGraphDeprecatedSinceV11",
    ],
    "callbacks": [
        "GraphCallbackHandler", "GraphInterruptEvent", "GraphResumeEvent", "GraphLifecycleEvent",
        "GraphLifecycleStatus",
    ],
    "pregel.debug": ["CheckpointPayload", "TaskPayload", "TaskResultPayload"],
    "pregel.main": ["Pregel", "GraphRecursionError"],
    "_internal._constants": [
        "CONF", "ERROR", "INPUT", "INTERRUPT", "NO_WRITES", "NS_END", "NS_SEP", "NULL_TASK_ID", "PULL", "PUSH",
        "RESERVED", "RESUME", "RETURN", "TASKS", "CONFIG_KEY_CHECKPOINTER", "CONFIG_KEY_CHECKPOINT_NS", "CONFIG_KEY_READ",
        "CONFIG_KEY_RUNTIME", "CONFIG_KEY_SEND", "CONFIG_KEY_THREAD_ID",
    ],
    "_internal._config": ["DEFAULT_RECURSION_LIMIT", "ensure_config", "merge_configs", "patch_configurable"],
    "_internal._typing": ["DeprecatedKwargs", "StateLike"],
    "_internal._runnable": ["RunnableCallable", "RunnableLike"],
    "utils.runnable": ["RunnableCallable", "RunnableLike"],
    "pregel.protocol": ["PregelProtocol"],
    "channels": ["DeltaChannel"],
    "channels.delta": ["DeltaChannel"],
    "cache.base": ["BaseCache"],
    "cache.memory": ["InMemoryCache"],
    "managed": ["IsLastStep", "RemainingSteps"],
    "constants": [
        "START", "END", "CONFIG_KEY_CHECKPOINTER", "CONFIG_KEY_SEND", "CONFIG_KEY_READ", "CONFIG_KEY_RUNTIME",
        "CONFIG_KEY_THREAD_ID", "CONFIG_KEY_CHECKPOINT_ID", "CONFIG_KEY_CHECKPOINT_NS", "CONFIG_KEY_CHECKPOINT_MAP",
        "CONFIG_KEY_STRICT_RESUME",
    ],
    "errors": [
        "NodeTimeoutError", "InvalidUpdateError", "ParentCommand", "NodeCancelledError", "GraphBubbleUp",
        "GraphInterrupt", "GraphRecursionError", "EmptyInputError", "EmptyChannelError",
        "UnknownInterruptError", "is_invalid_resume", "NodeInterrupt", "create_error_message", "ErrorCode",
    ],
    "config": ["var_child_runnable_config", "get_stream_writer", "get_config", "get_store"],
    "channels.untracked_value": ["UntrackedValue"],
    "channels.last_value": ["LastValue"],
    "channels.binop": ["BinaryOperatorAggregate"],
    "channels.topic": ["Topic"],
    "channels.ephemeral_value": ["EphemeralValue"],
    "channels.any_value": ["AnyValue"],
    "channels.named_barrier_value": ["NamedBarrierValue"],
}  # fmt: skip

GRAPH_METHODS = [
    "invoke", "ainvoke", "stream", "astream", "get_state", "aget_state", "get_state_history",
    "aget_state_history", "update_state", "aupdate_state", "with_config", "get_graph", "batch", "abatch",
    "bulk_update_state", "abulk_update_state", "get_subgraphs", "clear_cache", "aclear_cache",
    "astream_events",
]  # fmt: skip
BUILDER_METHODS = [
    "add_node", "add_edge", "add_conditional_edges", "add_sequence", "set_entry_point",
    "set_conditional_entry_point", "set_finish_point", "compile",
]  # fmt: skip


def wanted() -> list[tuple[str, str]]:
    return [(module, name) for module, names in NAMES.items() for name in names]


def named(engine: str, module: str, name: str) -> object:
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        return getattr(import_module(f"{engine}.{module}"), name)


@pytest.mark.parametrize(("module", "name"), wanted())
def test_name_is_there(module: str, name: str) -> None:
    theirs, ours = named(LANGGRAPH, module, name), named(NBHITL, module, name)
    assert isinstance(theirs, type) == isinstance(ours, type)
    if isinstance(theirs, str):
        assert theirs == ours


NOT_HERE = [
    ("prebuilt", "create_react_agent", r"make the loop of StateGraph\(MessagesState\)"),
    ("prebuilt.chat_agent_executor", "create_react_agent", r"make the loop of StateGraph\(MessagesState\)"),
    ("prebuilt", "ValidationNode", "a ToolNode tells the model"),
    ("prebuilt", "ToolCallTransformer", "stream_events"),
    ("checkpoint.memory", "PersistentDict", "keeps threads in a file"),
    ("pregel", "NodeBuilder", "built with nbhitl.graph.StateGraph"),
    ("pregel.remote", "RemoteGraph", "langgraph.pregel.remote"),
    ("func", "entrypoint", "Make each task a node of a nbhitl.graph.StateGraph"),
    ("func", "task", "from langgraph.func"),
]


@pytest.mark.parametrize(("module", "name", "advice"), NOT_HERE)
def test_a_name_that_is_not_here_says_what_to_use(module: str, name: str, advice: str) -> None:
    assert named(LANGGRAPH, module, name)
    with pytest.raises(ImportError, match=advice):
        exec(f"from {NBHITL}.{module} import {name}")


def test_the_functional_api_is_missing_like_a_module() -> None:
    with pytest.raises(ModuleNotFoundError, match="no functional API") as failed:
        import_module("nbhitl.func")
    assert failed.value.name == "nbhitl.func"


def missing_parameters(theirs: object, ours: object) -> list[str]:
    """Parameters that a caller may name on LangGraph and not here (unless `**kwargs` takes them)."""
    have = inspect.signature(ours).parameters  # type: ignore[arg-type]
    if any(parameter.kind is parameter.VAR_KEYWORD for parameter in have.values()):
        return []
    named_ = (inspect.Parameter.POSITIONAL_OR_KEYWORD, inspect.Parameter.KEYWORD_ONLY)
    theirs_ = inspect.signature(theirs).parameters.values()  # type: ignore[arg-type]
    return [
        parameter.name for parameter in theirs_ if parameter.kind in named_ and parameter.name not in have
    ]


def compiled(engine: str) -> object:
    graph = import_module(f"{engine}.graph")
    return graph.StateGraph(dict).add_node("a", lambda state: state).add_edge(graph.START, "a").compile()


@pytest.mark.parametrize("method", GRAPH_METHODS)
def test_method_of_a_compiled_graph(method: str) -> None:
    theirs, ours = getattr(compiled(LANGGRAPH), method), getattr(compiled(NBHITL), method)
    assert missing_parameters(theirs, ours) == []


@pytest.mark.parametrize("method", BUILDER_METHODS)
def test_method_of_the_builder(method: str) -> None:
    theirs = getattr(named(LANGGRAPH, "graph", "StateGraph"), method)
    ours = getattr(named(NBHITL, "graph", "StateGraph"), method)
    assert missing_parameters(theirs, ours) == []


@pytest.mark.parametrize("name", ["StateSnapshot", "PregelTask", "StateUpdate", "RetryPolicy"])
def test_fields_of_tuples(name: str) -> None:
    theirs, ours = named(LANGGRAPH, "types", name), named(NBHITL, "types", name)
    assert theirs._fields == ours._fields  # type: ignore[attr-defined]


@pytest.mark.parametrize(
    "name", ["Command", "Interrupt", "Send", "CachePolicy", "TimeoutPolicy", "Overwrite"]
)
def test_parameters_of_constructors(name: str) -> None:
    assert missing_parameters(named(LANGGRAPH, "types", name), named(NBHITL, "types", name)) == []
