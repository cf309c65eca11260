"""A project: the folders of pictures, the runs and the settings that belong together, kept in one file.

How it is opened, saved, moved to another place, and which runs are its own.
"""
