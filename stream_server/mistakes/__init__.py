"""The list of mistakes: verdicts that people say were wrong, for the next models to learn from."""
