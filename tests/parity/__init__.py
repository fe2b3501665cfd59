"""The same programs on LangGraph and on nbhitl, with only the imports swapped."""
