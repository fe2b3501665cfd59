"""`python -m benchmarks`: nbhitl beside LangGraph, hand-written Python, and Burr if it is installed."""
