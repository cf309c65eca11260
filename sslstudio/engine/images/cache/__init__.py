"""The pixel cache: each picture is decoded once into one memory-mapped file of equal squares.

The store on disk, the threads that fill it, and what is used while it is read.
"""
