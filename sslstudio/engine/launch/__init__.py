"""How a run is started: in this process, in a child process, by torchrun, by a worker of a queue, or again.

What a run does is not known here beyond its kind.
"""
