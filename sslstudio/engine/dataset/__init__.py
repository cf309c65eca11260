"""From pictures and labels to batches: the split into training, validation and test, groups, loading.

Also what can be said about a data set as a whole.
"""
