"""One file to pixels: a module for each kind of file that needs its own decoder.

Also how a file's type is told from its content, and the words for why a file cannot be read.
"""
