"""nbhitl: agent graphs that stop and ask a person, inside a notebook."""
