"""The engine: everything that works without a window. It never imports Qt.

Its packages import in one direction only; the contracts are in pyproject.toml.
"""
