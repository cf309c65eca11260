"""The sample data set that comes with the program: small pictures with masks, drawn from a seed.

It is made of nothing but numbers, so it needs no download.
"""
