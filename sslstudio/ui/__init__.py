"""The window, made with Qt. It imports the engine; nothing but the command line imports it.

Its packages import in one direction only; the contracts are in pyproject.toml.
"""
