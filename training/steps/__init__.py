"""The commands: one module a step, each with ``main(argv)``."""
