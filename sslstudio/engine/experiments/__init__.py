"""Experiments: many runs that answer one question, in a table that is safe after each of them.

`Experiment` drives them all; `Comparison` and `Tournament` are the strategies that say which runs there are, which is
next, and what the table is.
"""
