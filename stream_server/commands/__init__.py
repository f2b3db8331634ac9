"""The small subcommands of ``fakelight``."""
