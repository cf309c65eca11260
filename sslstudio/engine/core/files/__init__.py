"""The one way to the disk: names stay inside their folder, what others wrote is checked, what we write is whole.

`atomic_files` writes, `checked_files` and `checked_tensors` read, `named_paths` and `file_names` judge names.
"""
