"""Mask images, whatever format of labels they belong to: what their values mean, how they are read and written.

Which file is the mask of which picture is a matter of the formats.
"""
