"""LangGraph's own places of some names that programs import all the same: constants, configs, `RunnableCallable`."""
