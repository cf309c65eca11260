"""Networks: encoders, heads, decoders, and the losses that joint-embedding tasks share.

A network knows tensors. It knows no files, no runs and no pretext task.
"""
