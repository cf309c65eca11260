"""Experiments: many runs that answer one question, in a table that is safe after each of them.

Comparisons of tasks, label efficiency, and tournaments; their configs, plans, tables and reports.
"""
