"""Coverage-guided fuzzing of what strangers write: ``python -m tests.fuzz``."""
