"""Forms for configs: one editor for each kind of option, made from what the engine declares.

A form holds values and says when they change; it starts nothing.
"""
