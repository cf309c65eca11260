"""Words and numbers as the window shows them, in the person's language.

`translate` finds translations; `formatting` writes numbers, durations and scores. (Not `format`: that is a builtin.)
"""
