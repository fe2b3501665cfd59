"""Results of nodes and tasks, kept for inputs that come again."""
