"""What every part of the engine stands on: errors, events, configs, control of a run, registries, file writing.

Nothing here knows pictures, tensors or networks. It loads in milliseconds.
"""
