"""Work that takes time, off the thread that draws: jobs, the thread of a run, progress, throttling.

What the work is, is handed in.
"""
