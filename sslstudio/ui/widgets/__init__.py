"""Widgets that several pages use: layouts, tables, choices, dialogs, and the keys of the whole program.

A widget shows what it is given. It starts no job and asks nothing of the engine.
"""
