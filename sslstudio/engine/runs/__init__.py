"""The folder of one run: what is written into it, who may write, and how it is followed, queued and found again.

Formats of files that a run keeps belong here; how their content is computed does not.
"""
