"""What every part of the engine stands on: errors, events, configs, control of a run, registries; and in `files`,
how files are read and written.

Nothing here knows pictures, tensors or networks. It loads in milliseconds.
"""
